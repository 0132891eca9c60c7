/** The vectors of every passage, and nothing that is done with them. */
import { openIndex } from '../index/vector-index.js';
import type { VectorStages } from '../stages/systems.js';
import type { Workbench } from '../stages/workbench.js';
import type { UsedVectors } from './dense.js';
import { indexFacts } from './record-parts.js';
import type { Asking, Encoding } from './system.js';

type DenseEncoding = Pick<Encoding, 'shards'> & UsedVectors;

export async function encodeDense(
  { request: { config } }: Asking,
  bench: Workbench,
  { encoding }: Pick<VectorStages, 'encoding'>,
): Promise<DenseEncoding> {
  const { engine } = bench;
  const shards = await bench.logged(encoding, 'encode');
  const index = await openIndex(shards.folder);
  const facts = {
    config,
    device: {
      engine: engine.name,
      device: engine.device,
      searcher: null,
      threads: engine.threads,
      versions: engine.versions,
    },
    index: await indexFacts({ index, searcher: { name: 'exact', versions: {} } }).finally(() =>
      index.close(),
    ),
  };
  return { shards, facts, searchable: [encoding] };
}
