/** Indexes of other kinds than Flat are built from the shards once and kept in the cache. */
import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import { parameterProblems } from '../config/index-parameters.js';
import { refuse } from '../config/problems.js';
import { readIndexFacts } from '../index/vector-index.js';
import type { Progress } from '../progress.js';
import { readManifest } from '../store/manifest.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import { type IndexedFacts, isFlat } from './built-index.js';
import { builderOf, type NamedBuilder } from './choose-searcher.js';
import type { Prepared } from './prepare.js';
import { stageCode } from './stage-code.js';
import { conditionsHere } from './whole-index.js';

/**
 * Who builds the index; undefined where it is Flat. What can be known of `index.*` before anything is trained.
 * @throws BenchError UNAVAILABLE where the searcher that would build it is missing, CONFIG_INVALID
 */
export async function indexBuilder(config: BenchConfig): Promise<NamedBuilder | undefined> {
  if (isFlat(config)) return undefined;
  const by = await builderOf(config.index.kind, config.searcher);
  refuse(parameterProblems(config.index, by.builder.parameters, by.name));
  return by;
}

/** @param key of the shards @param folder of the shards */
export async function indexStage(
  { config, store, dataset }: Prepared,
  { key, folder }: Pick<Artifact<unknown>, 'key' | 'folder'>,
  { name, plugin, builder }: NamedBuilder,
  engine: Pick<Engine, 'versions'>,
  seed: number,
  progress: Progress,
): Promise<Artifact<IndexedFacts>> {
  const { kind, trainingVectors } = config.index;
  const { threads } = config;
  const about = (await readManifest(folder))?.execution?.about ?? { dataset: dataset.name };
  const inputs = {
    made: 'index 2',
    shards: key,
    code: stageCode('index', { searcher: name }),
    searcher: { name, versions: plugin.versions(engine) },
    kind,
    ...(builder.trains && { trainingVectors, seed }),
  };
  return store.artifact<IndexedFacts>(
    'indexes',
    inputs,
    async (made) => {
      const { vectors } = await readIndexFacts(folder);
      const started = performance.now();
      const facts = await builder.build({
        folder,
        kind,
        trainingVectors,
        seed,
        vectors,
        target: path.join(made, builder.file),
        ...(threads !== null && { threads }),
        progress,
      });
      const seconds = (performance.now() - started) / 1000;
      return { ...facts, execution: { seconds, conditions: await conditionsHere(threads) } };
    },
    about,
  );
}
