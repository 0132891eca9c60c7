/** A model as it was published, as a system: nothing is trained, then as every system of vectors, see `dense.ts`. */

import path from 'node:path';
import { closing } from '../closing.js';
import type { BenchConfig } from '../config/config.js';
import { counted } from '../counted.js';
import type { SentenceFacts } from '../model/sentence-files.js';
import type { Progress } from '../progress.js';
import { bareArchitecture } from '../record.js';
import type { ModelNeed } from '../stages/graph.js';
import { type Known, knownOf } from '../stages/known.js';
import { askedOf, modelStages, ofVectors, type SystemStages } from '../stages/systems.js';
import { keyOf } from '../store/hash.js';
import { otherPrecision } from '../tensor/onnx/precision.js';
import { answerDense, onEngine, type UsedVectors } from './dense.js';
import { encodeDense } from './dense-encoding.js';
import { scoreDense } from './dense-scoring.js';
import { denseRates } from './estimate/dense-rates.js';
import type { StageTime, Trial } from './estimate/stage-time.js';
import { denseStages } from './estimate/stage-times.js';
import { indexBuilder } from './index-builder.js';
import {
  foundModel,
  givenByName,
  givenModel,
  idOf,
  localModel,
  notLookedAt,
  unchanged,
} from './named-models.js';
import { openingsOf } from './open-dense.js';
import { engineOf } from './prepare.js';
import {
  describePublished,
  openPublished,
  type PublishedModel,
  publishedContent,
} from './published-model.js';
import { modelQueries, modelSource } from './query-encoder.js';
import { modelBytes, modelFacts } from './record-parts.js';
import type { RunRequest } from './run-request.js';
import type {
  AnsweredSystem,
  AnswerRequest,
  Encoding,
  Means,
  ScoringSystem,
  SystemFacts,
  SystemPlan,
} from './system.js';
import { assertEncoding } from './trained-requirements.js';
import { inPrecision, planOfVectors } from './vectors-plan.js';

export async function requirements(request: RunRequest): Promise<Means> {
  const { config } = request;
  const folder = await localModel(idOf(request), request, true);
  const described = folder === undefined ? undefined : await describePublished(folder, config.pretrained);
  const means = await assertEncoding(config);
  if (described === undefined) return means;
  return { ...means, vectors: { dimensions: described.model.dimensions, perPassage: 1, atMost: false } };
}

export async function plan(request: RunRequest, means: Means): Promise<SystemPlan> {
  const { encode } = request.config;
  return planOfVectors(request, means, [
    `model     ${idOf(request)}`,
    `encode    every passage${inPrecision(encode)}, in shards of ${counted(encode.shardPassages, 'passages')}`,
  ]);
}

export async function times({ request, part, folder: temporary }: Trial): Promise<StageTime[]> {
  const { config } = request;
  const folder = await localModel(idOf(request), { config, offline: true }, true);
  return closing(await engineOf(config), async (engine) => {
    const model = await openPublished(folder!, request.architecture, config.pretrained);
    const rates = await denseRates(part, model, config, engine, path.join(temporary, 'index'));
    return denseStages(rates, part.whole, config);
  });
}

export const given = (request: RunRequest): Promise<AnsweredSystem['given']> =>
  givenByName(request, (folder) => publishedContent(folder, request.config.pretrained));

export async function stages(request: RunRequest, known: Known): Promise<SystemStages> {
  const model = known.told === undefined ? byName(request) : await byContent(request, known.told);
  return ofVectors(modelStages(model, request, known, askedOf(request, known)));
}

function byName({ architecture: name, config }: RunRequest): ModelNeed {
  // The content of the model says what its files and these settings come to, once it is looked at.
  const key = keyOf({ name, pretrained: config.pretrained });
  const need = { folder: idOf({ architecture: name }), key };
  return { name, need, code: {}, open: notLookedAt(name) };
}

/** Fetched where it is not here, and opened when it is needed. */
async function byContent(request: RunRequest, progress: Progress): Promise<ModelNeed> {
  const { folder, name } = await foundModel(request, request, progress);
  const { pretrained } = request.config;
  const { key, code } = await publishedContent(folder, pretrained);
  const open = unchanged(folder, key, () => openPublished(folder, name, pretrained));
  return { name, need: { folder, key }, code, open };
}

export const answer = (asking: AnswerRequest): Promise<AnsweredSystem> => publishedAs(asking, answerDense);
export const encode = (asking: AnswerRequest): Promise<Encoding> => publishedAs(asking, encodeDense);
export const score = (asking: AnswerRequest): Promise<ScoringSystem> => publishedAs(asking, scoreDense);

export const { open, openScoring, loadCode } = openingsOf(async ({ folder, name }, { engine, config }) =>
  modelQueries(await openPublished(folder!, name!, config.pretrained), engine, config.encode),
);

/** @param use what is done with the model */
async function publishedAs<T extends UsedVectors>(
  asking: AnswerRequest,
  use: (...given: Parameters<typeof answerDense>) => Promise<T>,
) {
  const { request, prepared, progress } = asking;
  const { config } = request;
  const { id, folder, revision, name } = await foundModel(request, prepared, progress);
  return onEngine(asking, async (bench) => {
    const known = await knownOf(bench, await indexBuilder(config));
    const model = await openPublished(folder, name, config.pretrained);
    const { key, code } = model;
    const opened = { name, code, need: { folder, key }, open: async () => model };
    const stages = modelStages(opened, request, known, asking);
    const source = modelSource(bench, opened, { folder, name });
    const dense = await use(asking, bench, stages, source);
    const { retriever, tokenizer, files } = model;
    const facts: SystemFacts = {
      ...dense.facts,
      device: { ...dense.facts.device, ...otherPrecision(config.encode.precision) },
      arch: { ...bareArchitecture(name, 'pretrained'), pooling: poolingText(model.facts), vectors: 1 },
      model: {
        ...modelFacts({ name: id, revision, files }, retriever, true, tokenizer),
        sizeBytes: modelBytes(files),
      },
    };
    return {
      ...dense,
      facts,
      given: givenModel(model.key),
      remarks: [...model.remarks, ...remarksOf(model, config)],
    };
  });
}

/** `mean`, `cls+max`. */
function poolingText({ modules }: SentenceFacts): string {
  return modules.flatMap((module) => (module.kind === 'pooling' ? module.modes : [])).join('+');
}

/** What holds, and what of it a user has set instead of the model's files. */
function remarksOf({ facts, maxTokens }: PublishedModel, { pretrained }: BenchConfig): string[] {
  const { prompts, modules, similarity } = facts;
  const set = Object.entries(pretrained).filter(([, value]) => value !== null);
  const dense = modules.filter(({ kind }) => kind === 'dense').length;
  return [
    `as published: ${poolingText(facts)} pooling${dense === 0 ? '' : `, ${dense} dense`}, ${similarity}, at most ${counted(maxTokens.passage, 'tokens')}${prompts.query === '' && prompts.passage === '' ? '' : `, prompts ${JSON.stringify(prompts.query)} and ${JSON.stringify(prompts.passage)}`}`,
    ...(set.length === 0
      ? []
      : [
          `set by the user instead of its files: ${set.map(([key, value]) => `${key} ${JSON.stringify(value)}`).join(', ')}`,
        ]),
  ];
}
