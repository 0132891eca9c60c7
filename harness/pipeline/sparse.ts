/** A learned sparse model as it was published, as a system: nothing is trained; weights of tokens -> index of impacts -> hits. */

import path from 'node:path';
import { closing, closingOnFailure } from '../closing.js';
import type { BenchConfig } from '../config/config.js';
import { counted } from '../counted.js';
import type { Progress } from '../progress.js';
import { bareArchitecture } from '../record.js';
import { openImpacts } from '../search/impacts.js';
import { type Known, knownOf } from '../stages/known.js';
import { timeOf } from '../stages/search.js';
import { askedOf, type SystemStages, type WeightNeed, weightStages } from '../stages/systems.js';
import { keyOf } from '../store/hash.js';
import { otherPrecision } from '../tensor/onnx/precision.js';
import { assertPrecision } from '../tensor/precision.js';
import { encodedShards, onEngine } from './dense.js';
import type { StageTime, Trial } from './estimate/stage-time.js';
import { weightRates, weightTimes } from './estimate/weight-rates.js';
import {
  foundModel,
  givenByName,
  givenModel,
  idOf,
  localModel,
  notLookedAt,
  unchanged,
} from './named-models.js';
import { diskRoom, memoryLine } from './needs.js';
import { parameterCountOf } from './open-model.js';
import { openingOfWeights } from './open-sparse.js';
import { engineOf } from './prepare.js';
import { deviceFacts, modelBytes, modelFacts } from './record-parts.js';
import type { RunRequest } from './run-request.js';
import { indexFacts, meansText, remarksOf } from './sparse-facts.js';
import { describeSparse, openSparseModel, type SparseShape, sparseContent } from './sparse-model.js';
import type { AnsweredSystem, AnswerRequest, Means, SystemFacts, SystemPlan } from './system.js';
import { engineHere } from './trained-requirements.js';
import { engineText, inPrecision } from './vectors-plan.js';
import { conditionsHere } from './whole-index.js';

export { loadCode, open } from './open-sparse.js';

export async function requirements(request: RunRequest): Promise<Means> {
  const { config } = request;
  const folder = await localModel(idOf(request), request, true);
  if (folder !== undefined) await describeSparse(folder, config.sparse);
  const engine = await engineHere(config);
  await assertPrecision(engine, config.encode.precision);
  return { engine, postings: { isModelHere: folder !== undefined } };
}

export async function plan(request: RunRequest, means: Means): Promise<SystemPlan> {
  const { config } = request;
  const { encode, search } = config;
  const folder = await localModel(idOf(request), request, true);
  const shape = folder === undefined ? undefined : await describeSparse(folder, config.sparse);
  const [passage, query] = (['passage', 'query'] as const).map((side) => keptText(shape, config, side));
  return {
    stages: [
      `model     ${idOf(request)}`,
      `encode    every passage${inPrecision(encode)}, in shards of ${counted(encode.shardPassages, 'passages')}`,
      `index     impacts: ${passage} of a passage`,
      `search    the test queries, ${query} of each, ${counted(search.depth, 'hits')} each, exact products`,
      `engine    ${engineText(means, config)}`,
    ],
    needs: async () => [
      `disk      the index is not known: how many tokens have weights is seen when passages are encoded; ${await diskRoom(config)}`,
      `memory    ${memoryLine(request, means)}`,
    ],
  };
}

/** `all weights`, `the 64 largest weights` */
function keptText(
  shape: SparseShape | undefined,
  { sparse }: BenchConfig,
  side: 'query' | 'passage',
): string {
  const most = shape === undefined ? (sparse[`${side}Weights`] ?? undefined) : shape.facts.kept[side];
  return most === undefined ? 'all weights' : `the ${counted(most, 'weights').replace(' ', ' largest ')}`;
}

export async function times({ request, part, folder: temporary }: Trial): Promise<StageTime[]> {
  const { config } = request;
  const folder = await localModel(idOf(request), { config, offline: true }, true);
  return closing(await engineOf(config), async (engine) => {
    const model = await openSparseModel(folder!, request.architecture, config.sparse);
    const rates = await weightRates(part, model, config, engine, path.join(temporary, 'index'));
    return weightTimes(rates, part.whole, config);
  });
}

export const given = (request: RunRequest): Promise<AnsweredSystem['given']> =>
  givenByName(request, (folder) => sparseContent(folder, request.config.sparse));

export async function stages(request: RunRequest, known: Known): Promise<SystemStages> {
  const model = known.told === undefined ? byName(request) : await byContent(request, known.told);
  const { run } = weightStages(model, request, known, askedOf(request, known));
  return { run, all: [run] };
}

function byName({ architecture: name, config }: RunRequest): WeightNeed {
  const { queryWeights, passageWeights, ...sparse } = config.sparse;
  const need = { folder: idOf({ architecture: name }), key: keyOf({ name, sparse }) };
  const kept = { query: queryWeights ?? undefined, passage: passageWeights ?? undefined };
  return { ...{ name, need, kept, open: notLookedAt(name) }, code: {} };
}

/** Fetched where it is not here, and opened when it is needed. */
async function byContent(request: RunRequest, progress: Progress): Promise<WeightNeed> {
  const { folder, name } = await foundModel(request, request, progress);
  const { sparse } = request.config;
  const { key, code, facts, model } = await sparseContent(folder, sparse);
  const open = unchanged(folder, key, () => openSparseModel(folder, name, sparse));
  return { name, code, need: { folder, key }, kept: facts.kept, tokens: model.dimensions, open };
}

export async function answer(asking: AnswerRequest): Promise<AnsweredSystem> {
  const { request, prepared, progress } = asking;
  const { config } = request;
  const { id, folder, revision, name } = await foundModel(request, prepared, progress);
  return onEngine(asking, async (bench) => {
    const { engine } = bench;
    const model = await openSparseModel(folder, name, config.sparse);
    const { key, code, facts: said, retriever, tokenizer, files } = model;
    const need: WeightNeed = {
      ...{ name, code, need: { folder, key }, kept: said.kept, tokens: retriever.dimensions },
      open: async () => model,
    };
    const stages = weightStages(need, request, await knownOf(bench), asking);
    await encodedShards(bench, stages);
    const queries = await bench.logged(stages.queries, 'queries');
    const indexed = await bench.logged(stages.index, 'index');
    const run = await bench.logged(stages.run, 'search');
    const { index, searcher } = await openImpacts(indexed.folder, config.search.memoryMiB);
    return closingOnFailure(index, async () => {
      const facts: SystemFacts = {
        config,
        device: {
          ...deviceFacts(engine, { name: 'impacts', versions: {} }),
          ...otherPrecision(config.encode.precision),
        },
        arch: { ...bareArchitecture(name, 'sparse'), pooling: said.pooling.over },
        model: {
          ...modelFacts({ name: id, revision, files }, retriever, true, tokenizer),
          sizeBytes: modelBytes(files),
        },
        index: await indexFacts(index),
      };
      const held = searcher.resident ? facts.index!.sizeBytes.total : 0;
      return {
        ...{ run, index, facts, given: givenModel(key) },
        remarks: [...model.remarks, ...remarksOf(model, config), meansText(index, queries.facts)],
        work: { run: { timed: timeOf(run.facts), wanted: await conditionsHere(1) } },
        openBytes: held + 4 * parameterCountOf(retriever),
        // A search reads the lists of its own tokens.
        rereads: false,
        stages: { run: stages.run, all: [stages.run] },
        searchable: [stages.index],
        opening: openingOfWeights(request.architecture, {
          ...{ config, index: indexed.folder, model: folder, name },
        }),
        closeIndex: () => index.close(),
      };
    });
  }).then(({ closeIndex, close, ...answered }) => ({
    ...answered,
    async close() {
      await closeIndex();
      await close();
    },
  }));
}
