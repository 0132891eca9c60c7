/** A system of vectors that scores passages which another has found: it encodes every passage and searches none. */
import { openIndex } from '../index/vector-index.js';
import { PassageScorer } from '../search/rerank.js';
import { ofVectors, type VectorStages } from '../stages/systems.js';
import type { Workbench } from '../stages/workbench.js';
import type { UsedVectors } from './dense.js';
import { type OpenModel, parameterCountOf } from './open-model.js';
import { engineOf, type Prepared } from './prepare.js';
import { modelQueries } from './query-encoder.js';
import { indexFacts } from './record-parts.js';
import type { Asking, OpenScoring, Scoring } from './system.js';

type DenseScoring = Omit<Scoring, 'facts' | 'given' | 'remarks'> & UsedVectors;

/** @param reopen opens the model again, to be timed */
export async function scoreDense(
  { request: { config }, prepared }: Asking,
  bench: Workbench,
  stages: VectorStages,
  reopen: () => Promise<OpenModel>,
): Promise<DenseScoring> {
  const { engine } = bench;
  const { folder } = await bench.logged(stages.encoding, 'encode');
  await bench.logged(stages.queries, 'queries');
  const index = await openIndex(folder);
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
  const { retriever } = await bench.model(stages.model);
  const held = PassageScorer.holds(index, memoryBytesOf(prepared)) ? facts.index.sizeBytes.total : 0;
  return {
    facts,
    openBytes: held + 4 * parameterCountOf(retriever),
    stages: ofVectors(stages),
    searchable: [stages.shards],
    open: () => openScoring(prepared, reopen, folder),
  };
}

const memoryBytesOf = ({ config }: Prepared): number => config.search.memoryMiB * 2 ** 20;

/** @param folder of the shards */
async function openScoring(
  prepared: Prepared,
  openModel: () => Promise<OpenModel>,
  folder: string,
): Promise<OpenScoring> {
  const engine = await engineOf(prepared.config);
  try {
    const queries = modelQueries(await openModel(), engine, prepared.config.encode);
    const index = await openIndex(folder);
    return {
      queries,
      scorer: await PassageScorer.open(index, memoryBytesOf(prepared)),
      async close() {
        await index.close();
        await queries.dispose();
        await engine.dispose();
      },
    };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
