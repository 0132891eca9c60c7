/** Vectors made elsewhere, as a system: read, then as every system of vectors, see `dense.ts`. Nothing is encoded. */

import path from 'node:path';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { bareArchitecture } from '../record.js';
import { givenVectors } from '../stages/given-vectors.js';
import type { Given } from '../stages/graph.js';
import { type Known, knownOf } from '../stages/known.js';
import { askedOf, ofVectors, type SystemStages, type VectorSource, vectorStages } from '../stages/systems.js';
import { keyOf } from '../store/hash.js';
import { answerDense, onEngine, type UsedVectors } from './dense.js';
import { encodeDense } from './dense-encoding.js';
import { scoreDense } from './dense-scoring.js';
import type { StageTime } from './estimate/stage-time.js';
import { GivenQueries } from './given-rows.js';
import { contentKey, describeGiven, type GivenVectors } from './given-vectors.js';
import { indexBuilder } from './index-builder.js';
import { openingsOf } from './open-dense.js';
import type { RunRequest } from './run-request.js';
import type { AnsweredSystem, AnswerRequest, Encoding, Means, ScoringSystem, SystemPlan } from './system.js';
import { assertMachine } from './trained-requirements.js';
import { planOfVectors } from './vectors-plan.js';

const folderOf = ({ architecture }: Pick<RunRequest, 'architecture'>): string =>
  path.resolve(architecture.slice(architecture.indexOf(':') + 1));

const described = (request: RunRequest): Promise<GivenVectors> =>
  describeGiven(folderOf(request), request.config.vectors.similarity);

/** @throws also BenchError USAGE for distractors: nobody has given their vectors */
export async function requirements(request: RunRequest): Promise<Means> {
  if (request.distractors !== undefined) {
    throw new BenchError('USAGE', `${request.architecture} has vectors of its own passages alone.`, {
      hint: 'Leave --distractors out, or write the vectors of the larger collection and name that with --dataset.',
    });
  }
  const { dimensions } = await described(request);
  return { ...(await assertMachine(request.config)), vectors: { dimensions, perPassage: 1, atMost: false } };
}

export async function plan(request: RunRequest, means: Means): Promise<SystemPlan> {
  const { config } = request;
  const { folder, similarity, counts } = await described(request);
  return planOfVectors(request, means, [
    `vectors   ${folder}: ${counted(counts.passages, 'passages')}, ${counted(counts.queries, 'queries')}, ${similarity}`,
    `read      every passage, in shards of ${counted(config.encode.shardPassages, 'passages')}`,
  ]);
}

export const times = async (): Promise<StageTime[]> => [
  { stage: 'read and search', seconds: null, basis: 'vectors made elsewhere are not tried beforehand' },
];

export async function given(request: RunRequest): Promise<AnsweredSystem['given']> {
  return { vectors: await contentKey(await described(request)) };
}

/** Their vectors, as stages. */
const sourceOf = ({ config }: RunRequest, need: Given, name: string): VectorSource =>
  givenVectors({ name, need, open: () => describeGiven(need.folder, config.vectors.similarity) }, config);

export async function stages(request: RunRequest, known: Known): Promise<SystemStages> {
  const folder = folderOf(request);
  // Where names alone are known, nothing is read.
  const key =
    known.told === undefined
      ? keyOf({ folder, vectors: request.config.vectors })
      : await contentKey(await described(request));
  const source = sourceOf(request, { folder, key }, request.architecture);
  return ofVectors(vectorStages(source, request, known, askedOf(request, known)));
}

export const answer = (asking: AnswerRequest): Promise<AnsweredSystem> => givenAs(asking, answerDense);
export const encode = (asking: AnswerRequest): Promise<Encoding> => givenAs(asking, encodeDense, false);
export const score = (asking: AnswerRequest): Promise<ScoringSystem> => givenAs(asking, scoreDense);

export const { open, openScoring, loadCode } = openingsOf(async ({ folder }, { config }) => {
  const queries = await GivenQueries.open(await describeGiven(folder!, config.vectors.similarity));
  // Looked up: there is nothing to time.
  return { parts: [], encode: async (some) => queries.vectorsOf(some), dispose: async () => undefined };
});

/** @param use what is done with the vectors @param searches whether queries of the split are asked for */
async function givenAs<T extends UsedVectors>(
  asking: AnswerRequest,
  use: (...given: Parameters<typeof answerDense>) => Promise<T>,
  searches = true,
) {
  const { request, prepared, split } = asking;
  const found = await described(request);
  const queries = await GivenQueries.open(found);
  // Better known before the passages are read than after.
  if (searches) queries.vectorsOf(await prepared.dataset.queries(split));
  const name = `vectors:${path.basename(found.folder)}`;
  const key = await contentKey(found);
  return onEngine(asking, async (bench) => {
    const known = await knownOf(bench, await indexBuilder(request.config));
    const source = sourceOf(request, { folder: found.folder, key }, name);
    const used = await use(asking, bench, vectorStages(source, request, known, asking), {
      held: async () => ({ numbers: queries.values.length }),
      from: { folder: found.folder },
    });
    const { facts } = used;
    return {
      ...used,
      facts: {
        ...facts,
        arch: { ...bareArchitecture(name, 'vectors'), vectors: 1 },
        device: { ...facts.device, queryVectors: 'given' as const },
      },
      given: { vectors: key },
      remarks: [
        `vectors made elsewhere (${counted(found.dimensions, 'dimensions')}, ${found.similarity}): latency is of the search alone, no query is encoded`,
      ],
    };
  });
}
