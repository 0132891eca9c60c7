/** A system of vectors that scores passages which another has found: it encodes every passage and searches none. */
import { openIndex } from '../index/vector-index.js';
import { PassageScorer } from '../search/rerank.js';
import { byVectors } from '../stages/rerank.js';
import type { VectorStages } from '../stages/systems.js';
import type { Workbench } from '../stages/workbench.js';
import type { UsedVectors } from './dense.js';
import { encodeDense } from './dense-encoding.js';
import { denseOpening, scorerBytes } from './open-dense.js';
import type { QuerySource } from './query-encoder.js';
import type { AnswerRequest, ScoringSystem } from './system.js';
import { conditionsHere } from './whole-index.js';

type DenseScoring = Omit<ScoringSystem, 'facts' | 'given' | 'remarks' | 'close'> & UsedVectors;

export async function scoreDense(
  asking: AnswerRequest,
  bench: Workbench,
  stages: VectorStages,
  source: QuerySource,
): Promise<DenseScoring> {
  const { request } = asking;
  const { config } = request;
  const { shards, facts } = await encodeDense(asking, bench, stages);
  const { folder } = shards;
  await bench.logged(stages.queries, 'queries');
  const index = await openIndex(folder);
  const holds = PassageScorer.holds(index, scorerBytes(config));
  await index.close();
  const { numbers } = await source.held();
  const held = holds ? facts.index.sizeBytes.total : 0;
  return {
    facts,
    openBytes: held + 4 * numbers,
    ordering: byVectors(stages),
    conditions: await conditionsHere(1),
    searchable: [stages.shards],
    opening: denseOpening(request.architecture, { config, shards: folder, queries: source.from }),
  };
}
