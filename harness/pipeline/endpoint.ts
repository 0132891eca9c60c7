/** A server that gives vectors, as a system: it encodes passages and queries, and all else is as with every system of vectors. */

import type { Query } from '../contracts.js';
import { counted } from '../counted.js';
import { embeddingsUrl, endpointKey, keyVariable } from '../endpoint/client.js';
import { BenchError } from '../errors.js';
import { readIndexFacts } from '../index/vector-index.js';
import { bareArchitecture } from '../record.js';
import { endpointVectors } from '../stages/endpoint-vectors.js';
import { type Known, knownOf } from '../stages/known.js';
import { askedOf, ofVectors, type SystemStages, vectorStages } from '../stages/systems.js';
import { answerDense, onEngine, type UsedVectors } from './dense.js';
import { encodeDense } from './dense-encoding.js';
import { scoreDense } from './dense-scoring.js';
import { EndpointVectors } from './endpoint-vectors.js';
import type { StageTime } from './estimate/stage-time.js';
import { indexBuilder } from './index-builder.js';
import { openingsOf } from './open-dense.js';
import type { RunRequest } from './run-request.js';
import type { AnsweredSystem, AnswerRequest, Encoding, Means, ScoringSystem, SystemPlan } from './system.js';
import { assertMachine } from './trained-requirements.js';
import { planOfVectors } from './vectors-plan.js';

/** What stands behind `endpoint:`. */
const urlOf = ({ architecture }: Pick<RunRequest, 'architecture'>): string =>
  architecture.slice(architecture.indexOf(':') + 1);

/** The server itself is asked when the run begins: what it would answer now is not what it answers then. */
export async function requirements(request: RunRequest): Promise<Means> {
  embeddingsUrl(urlOf(request));
  endpointKey(process.env[keyVariable]);
  if (request.offline)
    throw new BenchError(
      'USAGE',
      `${request.architecture} is asked over the network, and --offline forbids it.`,
      { hint: 'Leave --offline out.' },
    );
  return assertMachine(request.config);
}

export async function plan(request: RunRequest, means: Means): Promise<SystemPlan> {
  const { config } = request;
  const { model, similarity, batchSize, concurrency } = config.endpoint;
  return planOfVectors(request, means, [
    `server    ${embeddingsUrl(urlOf(request)).href}, ${model === null ? 'its own model' : `model ${model}`}, ${similarity}`,
    `encode    every passage, ${batchSize} a request, ${concurrency} at once, in shards of ${counted(config.encode.shardPassages, 'passages')}`,
  ]);
}

export const times = async (): Promise<StageTime[]> => [
  { stage: 'encode and search', seconds: null, basis: 'a server is not asked beforehand' },
];

export async function stages(request: RunRequest, known: Known): Promise<SystemStages> {
  const { architecture: name, config } = request;
  const url = urlOf(request);
  const { told } = known;
  let server: EndpointVectors | undefined;
  const open = () => {
    if (told === undefined) throw new TypeError(`${name} is not asked yet`);
    server ??= new EndpointVectors(url, config.endpoint, told);
    return server;
  };
  const source = endpointVectors({ name, url, open }, config);
  return ofVectors(vectorStages(source, request, known, askedOf(request, known)));
}

export const answer = (asking: AnswerRequest): Promise<AnsweredSystem> => endpointAs(asking, answerDense);
export const encode = (asking: AnswerRequest): Promise<Encoding> => endpointAs(asking, encodeDense);
export const score = (asking: AnswerRequest): Promise<ScoringSystem> => endpointAs(asking, scoreDense);

export const { open, openScoring, loadCode } = openingsOf(async ({ url }, { config, shards, progress }) => {
  const server = new EndpointVectors(url!, config.endpoint, progress);
  const { dimensions } = await readIndexFacts(shards);
  const encode = (queries: readonly Query[]) => server.queries(queries, dimensions);
  return {
    parts: [{ name: 'encode', run: (query: Query) => encode([query]) }],
    encode,
    dispose: async () => undefined,
  };
});

/** @param use what is done with the vectors */
async function endpointAs<T extends UsedVectors>(
  asking: AnswerRequest,
  use: (...given: Parameters<typeof answerDense>) => Promise<T>,
) {
  const { request, progress } = asking;
  const { architecture: name, config } = request;
  const url = urlOf(request);
  const server = new EndpointVectors(url, config.endpoint, progress);
  return onEngine(asking, async (bench) => {
    const known = await knownOf(bench, await indexBuilder(config));
    const source = endpointVectors({ name, url, open: () => server }, config);
    const vectors = vectorStages(source, request, known, asking);
    const used = await use(asking, bench, vectors, { held: async () => ({ numbers: 0 }), from: { url } });
    const { facts } = used;
    const { served } = (await bench.of('base').made(source.passages(known.parts?.base ?? known))).facts;
    return {
      ...used,
      facts: {
        ...facts,
        arch: { ...bareArchitecture(name, 'endpoint'), vectors: 1 },
        device: { ...facts.device, queryVectors: 'network' as const },
      },
      given: {},
      remarks: remarksOf(config.endpoint, served),
    };
  });
}

function remarksOf(
  { model, similarity, requestsPerMinute }: RunRequest['config']['endpoint'],
  served: string | null,
): string[] {
  const named = served === null || served === model ? '' : `, which the server calls ${served}`;
  return [
    `vectors of a server (model ${model ?? 'not named'}${named}; ${similarity}): encode is a request over the network, and what the server computes may change`,
    ...(requestsPerMinute === null
      ? []
      : [`latency holds the waiting for endpoint.requestsPerMinute, ${requestsPerMinute}`]),
  ];
}
