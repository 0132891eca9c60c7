/** A published cross-encoder, as the second of a rerank: the texts of the first's hits, each with its query, get a score. */
import { closingOnFailure } from '../closing.js';
import type { BenchConfig } from '../config/config.js';
import type { Query } from '../contracts.js';
import { counted } from '../counted.js';
import { holdsTexts, PassageTexts, passageTextsBytes } from '../index/passage-texts.js';
import { byteSize, type Progress } from '../progress.js';
import { bareArchitecture } from '../record.js';
import { type Known, knownOf } from '../stages/known.js';
import { passageTexts } from '../stages/passage-texts.js';
import type { Ordering } from '../stages/rerank.js';
import { type CrossNeed, rerankPairs } from '../stages/rerank-pairs.js';
import { keyOf } from '../store/hash.js';
import { otherPrecision } from '../tensor/onnx/precision.js';
import type { WayToOpen } from './cell.js';
import { onEngine } from './dense.js';
import {
  foundModel,
  givenByName,
  givenModel,
  idOf,
  localModel,
  notLookedAt,
  unchanged,
} from './named-models.js';
import { machineMemory } from './needs.js';
import { scorerBytes } from './open-dense.js';
import { parameterCountOf } from './open-model.js';
import { PairScorer } from './pair-scorer.js';
import { engineOf } from './prepare.js';
import { crossContent, describeCross, openCross } from './published-cross.js';
import { deviceFacts, modelBytes, modelFacts } from './record-parts.js';
import type { RunRequest } from './run-request.js';
import type {
  AnsweredSystem,
  AnswerRequest,
  Means,
  OpenScoring,
  ScoringSystem,
  SystemPlan,
} from './system.js';
import { assertScoring } from './trained-requirements.js';
import { engineText, inPrecision } from './vectors-plan.js';
import { conditionsHere } from './whole-index.js';

export { crossTimes as times } from './estimate/cross-times.js';

export async function requirements(request: RunRequest): Promise<Means> {
  const { config } = request;
  const folder = await localModel(idOf(request), request, true);
  const described = folder === undefined ? undefined : await describeCross(folder, config.cross);
  const means = await assertScoring(config);
  return described === undefined
    ? means
    : { ...means, pairs: { weights: parameterCountOf(described.model) } };
}

export async function plan(request: RunRequest, means: Means): Promise<SystemPlan> {
  const { config } = request;
  const { encode, search } = config;
  return {
    stages: [
      `model     ${idOf(request)}`,
      `texts     every passage, so that those of hits can be read`,
      `score     query and passage together${inPrecision(encode)}, batches of ${counted(encode.batchTokens, 'tokens')}`,
      `engine    ${engineText(means, config)}`,
    ],
    needs: async () => {
      const weights =
        means.pairs === undefined ? 'not known (the model is not here)' : byteSize(4 * means.pairs.weights);
      return [
        `memory    the cross-encoder's weights ${weights}, texts at most ${search.memoryMiB} MiB, the engine its own beside them; ${machineMemory()}`,
      ];
    },
  };
}

/** What `assertFinds` refuses before, by name. */
const refused = (): Promise<never> => Promise.reject(new TypeError('a cross-encoder finds no passages'));

export { refused as answer, refused as open, refused as stages };

export const given = (request: RunRequest): Promise<AnsweredSystem['given']> =>
  givenByName(request, (folder) => crossContent(folder, request.config.cross));

export async function ordering(request: RunRequest, known: Known): Promise<Ordering> {
  const model = known.told === undefined ? byName(request) : await byContent(request, known.told);
  return orderingBy(model, request.config);
}

const orderingBy =
  (model: CrossNeed, config: Pick<BenchConfig, 'encode'>): Ordering =>
  (run, asked, system, known) =>
    rerankPairs(run, model, asked, config, system, known);

function byName({ architecture: name, config }: RunRequest): CrossNeed {
  // The content of the model says what its files and these settings come to, once it is looked at.
  const need = { folder: idOf({ architecture: name }), key: keyOf({ name, cross: config.cross }) };
  return { need, code: {}, open: notLookedAt(name) };
}

/** Fetched where it is not here, and opened when it is needed. */
async function byContent(request: RunRequest, progress: Progress): Promise<CrossNeed> {
  const { folder, name } = await foundModel(request, request, progress);
  return needOf(folder, name, request.config);
}

async function needOf(
  folder: string,
  name: string,
  { cross }: Pick<BenchConfig, 'cross'>,
): Promise<CrossNeed> {
  const { key, code } = await crossContent(folder, cross);
  const open = unchanged(folder, key, () => openCross(folder, name, cross));
  return { need: { folder, key }, code, open };
}

/** By which it is opened: JSON. */
interface CrossFrom {
  readonly config: BenchConfig;
  readonly folder: string;
  readonly name: string;
  /** Folder of the passages' texts. */
  readonly texts: string;
}

export async function score(asking: AnswerRequest): Promise<ScoringSystem> {
  const { request, prepared, progress } = asking;
  const { config, architecture } = request;
  const { id, folder, revision, name } = await foundModel(request, prepared, progress);
  return onEngine(asking, async (bench) => {
    const { engine } = bench;
    const texts = await bench.logged(passageTexts(await knownOf(bench)), 'texts');
    const content = await crossContent(folder, config.cross);
    const { facts, model, tokenizer, files, maxTokens, key } = content;
    const textBytes = passageTextsBytes(texts.facts);
    const held = holdsTexts(texts.facts, scorerBytes(config)) ? textBytes : 0;
    const { encoder, parameters } = model;
    const { dimensions } = encoder.shape;
    const from: CrossFrom = { config, folder, name, texts: texts.folder };
    return {
      engine,
      facts: {
        config,
        arch: bareArchitecture(name, 'cross'),
        device: { ...deviceFacts(engine, null), ...otherPrecision(config.encode.precision) },
        model: {
          ...modelFacts({ name: id, revision, files }, { encoder, parameters, dimensions }, true, tokenizer),
          sizeBytes: modelBytes(files),
        },
      },
      given: givenModel(key),
      remarks: [
        `as published: ${facts.activation === 'sigmoid' ? 'the sigmoid of the logit' : 'the logit'} is the score, at most ${counted(maxTokens, 'tokens')} a pair${config.cross.maxTokens === null ? '' : ' (set by the user)'}`,
        `reads the texts of hits from a file of ${byteSize(textBytes)}, which no size of an index has in it`,
      ],
      openBytes: 4 * parameterCountOf(model) + held,
      ordering: orderingBy(await needOf(folder, name, config), config),
      conditions: await conditionsHere(engine.threads),
      searchable: [passageTexts(await knownOf(bench))],
      opening: { system: architecture, folders: [folder, texts.folder], from },
    };
  });
}

export async function openScoring(from: object, way: WayToOpen): Promise<OpenScoring> {
  const { config, folder, name, texts } = from as CrossFrom;
  const engine = await engineOf({ ...config, threads: way.threads ?? config.threads });
  const opened: { close(): Promise<unknown> }[] = [{ close: () => engine.dispose() }];
  const close = async () => {
    for (const each of opened.reverse()) await each.close();
  };
  return closingOnFailure({ close }, async () => {
    const model = await openCross(folder, name, config.cross);
    const passages = await PassageTexts.open(texts, scorerBytes(config));
    opened.push(passages);
    const scorer = new PairScorer(model, passages, engine, config.encode);
    opened.push({ close: () => scorer.dispose() });
    return {
      parts: [{ name: 'tokenize', run: (query: Query) => scorer.queryTokens(query) }],
      order: (given, hits, cut) => scorer.rerank([given as readonly number[]], hits, cut),
      orderBatch: (queries, hits, cut) =>
        scorer.rerank(
          queries.map((query) => scorer.queryTokens(query)),
          hits,
          cut,
        ),
      resident: scorer.resident,
      close,
    };
  });
}

export async function loadCode(from: object): Promise<void> {
  await (await engineOf((from as CrossFrom).config)).dispose();
}
