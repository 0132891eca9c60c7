/** The vectors of every passage, and nothing that is done with them. */
import { openIndex } from '../index/vector-index.js';
import type { VectorStages } from '../stages/systems.js';
import type { Workbench } from '../stages/workbench.js';
import { encodedShards, type UsedVectors } from './dense.js';
import { deviceFacts, indexFacts } from './record-parts.js';
import type { AnswerRequest, Encoding } from './system.js';

type DenseEncoding = Pick<Encoding, 'shards'> & UsedVectors;

export async function encodeDense(
  { request: { config } }: AnswerRequest,
  bench: Workbench,
  { encoding, parts }: Pick<VectorStages, 'encoding' | 'parts'>,
): Promise<DenseEncoding> {
  const { engine } = bench;
  const shards = await encodedShards(bench, { encoding, parts });
  const index = await openIndex(shards.folder);
  const facts = {
    config,
    device: deviceFacts(engine, null),
    index: await indexFacts({ index, searcher: { name: 'exact', versions: {} } }).finally(() =>
      index.close(),
    ),
  };
  return { shards, facts, searchable: [encoding] };
}
