/** A system of vectors that scores passages which another has found: it encodes every passage and searches none. */
import { openIndex } from '../index/vector-index.js';
import { PassageScorer } from '../search/rerank.js';
import { ofVectors, type VectorStages } from '../stages/systems.js';
import type { Workbench } from '../stages/workbench.js';
import type { UsedVectors } from './dense.js';
import { encodeDense } from './dense-encoding.js';
import { engineOf, type Session } from './prepare.js';
import type { QuerySource } from './query-encoder.js';
import type { AnswerRequest, OpenScoring, ScoringSystem } from './system.js';

type DenseScoring = Omit<ScoringSystem, 'facts' | 'given' | 'remarks'> & UsedVectors;

export async function scoreDense(
  asking: AnswerRequest,
  bench: Workbench,
  stages: VectorStages,
  source: QuerySource,
): Promise<DenseScoring> {
  const { prepared } = asking;
  const { shards, facts } = await encodeDense(asking, bench, stages);
  const { folder } = shards;
  await bench.logged(stages.queries, 'queries');
  const index = await openIndex(folder);
  const holds = PassageScorer.holds(index, memoryBytesOf(prepared));
  await index.close();
  const { numbers } = await source.held();
  const held = holds ? facts.index.sizeBytes.total : 0;
  return {
    facts,
    openBytes: held + 4 * numbers,
    stages: ofVectors(stages),
    searchable: [stages.shards],
    open: () => openScoring(prepared, source, folder),
  };
}

const memoryBytesOf = ({ config }: Session): number => config.search.memoryMiB * 2 ** 20;

/** @param folder of the shards */
async function openScoring(prepared: Session, source: QuerySource, folder: string): Promise<OpenScoring> {
  const engine = await engineOf(prepared.config);
  const opened: { close(): Promise<unknown> }[] = [{ close: async () => engine.dispose() }];
  const close = async () => {
    for (const each of opened.reverse()) await each.close();
  };
  try {
    const queries = await source.open(engine);
    opened.push({ close: () => queries.dispose() });
    const index = await openIndex(folder);
    opened.push(index);
    return { queries, scorer: await PassageScorer.open(index, memoryBytesOf(prepared)), close };
  } catch (error) {
    await close();
    throw error;
  }
}
