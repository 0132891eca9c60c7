/** Indexes of other kinds than Flat are built from the shards once and kept in the cache. */
import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import { readIndexFacts } from '../index/vector-index.js';
import type { Progress } from '../progress.js';
import { assertKind, buildIndex } from '../searchers/faiss/build.js';
import { faissVersion } from '../searchers/faiss/flat.js';
import { readManifest } from '../store/manifest.js';
import type { Artifact } from '../store/store.js';
import { builtFile, type IndexedFacts, isFlat } from './built-index.js';
import type { Prepared } from './prepare.js';
import { stageCode } from './stage-code.js';
import { conditionsHere } from './whole-index.js';

/**
 * What can be known of `index.*` before anything is trained.
 * @throws BenchError UNAVAILABLE where FAISS is missing, CONFIG_INVALID
 */
export async function assertIndexKind(config: BenchConfig): Promise<void> {
  if (!isFlat(config)) await assertKind(config.index.kind);
}

/** @param key of the shards @param folder of the shards */
export async function indexStage(
  { config, store, dataset }: Prepared,
  { key, folder }: Pick<Artifact<unknown>, 'key' | 'folder'>,
  seed: number,
  progress: Progress,
): Promise<Artifact<IndexedFacts>> {
  const { kind, trainingVectors } = config.index;
  const { threads } = config;
  const about = (await readManifest(folder))?.execution?.about ?? { dataset: dataset.name };
  const inputs = {
    made: 'faiss index 1',
    shards: key,
    code: stageCode('index', { searcher: 'faiss' }),
    kind,
    trainingVectors,
    seed,
    versions: { 'faiss-node': faissVersion() },
  };
  return store.artifact<IndexedFacts>(
    'indexes',
    inputs,
    async (made) => {
      const { vectors } = await readIndexFacts(folder);
      const started = performance.now();
      const facts = await buildIndex({
        folder,
        kind,
        trainingVectors,
        seed,
        vectors,
        target: path.join(made, builtFile),
        ...(threads !== null && { threads }),
        progress,
      });
      const seconds = (performance.now() - started) / 1000;
      return { ...facts, execution: { seconds, conditions: await conditionsHere(threads) } };
    },
    about,
  );
}
