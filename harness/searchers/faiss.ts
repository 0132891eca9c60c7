/** The searcher `faiss`: the index Flat by IndexFlatIP, and any other kind by factory string. */
import { flatKind, type SearcherPlugin } from '../search/searcher.js';
import { assertKind, buildIndex } from './faiss/build.js';
import { FactorySearcher } from './faiss/built.js';
import {
  assertDeviceSearch,
  describeDeviceFaiss,
  deviceFaissVersion,
  loadDeviceFaiss,
} from './faiss/device.js';
import { FaissSearcher, faissVersion, loadFaiss } from './faiss/flat.js';
import { assertSettable } from './faiss/parameter-file.js';
import { tryShards } from './faiss/trial.js';

const faiss: SearcherPlugin = {
  summary: 'FAISS, Flat and every other kind of index; needs faiss-node',
  without: "no index types of FAISS; 'auto' takes another searcher and the run record says so",
  autoRank: 1,
  async check() {
    await loadFaiss();
    return `IndexFlatIP and factory strings, faiss-node ${faissVersion()}; ${await describeDeviceFaiss()}`;
  },
  versions({ device }, kind) {
    // Other kinds than Flat are built and searched by faiss-node, wherever the run computes.
    const faiss = device === 'cuda' && kind === flatKind ? deviceFaissVersion() : undefined;
    return { 'faiss-node': faissVersion(), ...(faiss !== undefined && { faiss }) };
  },
  assertDevice: (device) => assertDeviceSearch(device),
  async open(index, { engine, memoryBytes, deviceMemoryBytes = memoryBytes }) {
    if (engine.device !== 'cuda') return FaissSearcher.open(index, memoryBytes);
    await assertDeviceSearch(engine.device);
    return FaissSearcher.open(index, Math.min(memoryBytes, deviceMemoryBytes), await loadDeviceFaiss());
  },
  prove: tryShards,
  builder: {
    kinds: 'any factory string of FAISS: HNSW32, IVF64,Flat, SQ8, IVF64,PQ16, PCA64,Flat',
    examples: { HNSW32: 0.95, SQ8: 0.95, 'IVF8,Flat': 0.4 },
    file: 'index.faiss',
    trains: true,
    parameters: {
      nprobe: { description: 'lists visited per query, of an inverted file', type: 'integer', minimum: 1 },
      efSearch: {
        description: 'candidates kept per query, of a graph',
        type: 'integer',
        minimum: 1,
        maximum: 2 ** 31 - 1,
      },
    },
    assertKind,
    assertSettable,
    build: buildIndex,
    open: (index, built, { memoryBytes }) => FactorySearcher.open(index, built, memoryBytes),
  },
};
export default faiss;
