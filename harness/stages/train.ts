/** Training: a checkpoint, named by everything that decides its weights. */

import path from 'node:path';
import { type BenchConfig, hasUsualChunk } from '../config/config.js';
import { BenchError } from '../errors.js';
import { saveRetriever } from '../model/retriever-files.js';
import { textEncoders } from '../pipeline/checkpoint.js';
import { forgetRead } from '../pipeline/last-read.js';
import type { ChosenNegatives } from '../pipeline/negative-sources.js';
import type { TrainingSetup } from '../pipeline/starting-model.js';
import type { ChosenTeacher } from '../pipeline/teacher.js';
import { otherPrecision } from '../tensor/onnx/precision.js';
import { type ExampleCounts, trainingExamples } from '../train/examples.js';
import { rankPool, ranksEpochs } from '../train/rank-pool.js';
import { train as trainModel } from '../train/trainer.js';
import type { TrainingFacts } from '../train/training-facts.js';
import type { WorkedWith } from './code.js';
import type { Need, Stage, Workplace } from './graph.js';
import type { Known } from './known.js';

export interface CheckpointFacts {
  training: TrainingFacts;
  train: ExampleCounts;
  dev: ExampleCounts;
  /** The pooling's trained weights as a reader wants them, by name. */
  poolingWeights?: Record<string, number[]>;
}

/** What one training is made of, as far as it is known before it begins. */
interface TrainingSettings {
  name: string;
  config: BenchConfig;
  seed: number;
  architecture: string;
  /** What computes of it. */
  code: Pick<WorkedWith, 'architecture' | 'encoder'>;
  /** The model that it begins with. */
  model: Need;
  /** As a checkpoint names it: `scratch`, a folder, an id on the hub. */
  origin: string;
  /** The architecture of the checkpoint that it begins with. */
  trainedAs?: string | undefined;
  /** What the settings come to with a model of that shape; the settings themselves where it is not known. */
  settled(): object;
  negatives: ChosenNegatives;
  teacher?: ChosenTeacher | undefined;
  /** Reads the model. */
  setup(at: Workplace): Promise<TrainingSetup>;
}

/** A model may lie elsewhere tomorrow, and on another machine: what it holds is in the key of `model`. */
const placeless = (origin: string): string => (path.isAbsolute(origin) ? path.basename(origin) : origin);

export function train(asked: TrainingSettings, known: Known): Stage<CheckpointFacts> {
  const { config, seed, architecture, model, origin, trainedAs, negatives, teacher } = asked;
  const { dataset, engine, computing, code } = known;
  const { t5LayerNorm, tied } = config.model;
  const {
    saveEverySteps: _,
    averageRankHardNegatives: __,
    averageRankOtherNegatives: ___,
    learningRate: ____,
    teacher: _____,
    precision,
    averageRankTies,
    otherPositives,
    ...training
  } = config.train;
  const pool = rankPool(config.train);
  const cyclesNegatives = dataset.trainsOn === 'each-positive';
  return {
    name: asked.name,
    kind: 'checkpoints',
    task: 'train',
    version: 'checkpoint 4',
    needs: { model, ...negatives.needs },
    inputs: () => ({
      dataset: dataset.identity,
      ...code('train', { dataset, engine, precision, ...asked.code }),
      ...computing,
      ...{ origin: placeless(origin), trainedAs, architecture, settled: asked.settled() },
      ...{ tied, t5LayerNorm, seed, negatives: negatives.identity },
      training: { ...training, chunkSize: chunkIdentity(config), ...otherPrecision(precision) },
      // The texts of dev are encoded together.
      batchTokens: config.encode.batchTokens,
      // These stand here where they play a part.
      ...(cyclesNegatives && { trainsOn: dataset.trainsOn }),
      ...((cyclesNegatives || negatives.addsExamples) && { otherPositives }),
      ...(pool && { rankPool: pool }),
      ...(ranksEpochs(config.train) && { averageRankTies }),
      ...(teacher && { teacher: teacher.identity }),
    }),
    about: { dataset: dataset.name, system: architecture },
    async make(folder, at) {
      const { dataset, engine, progress } = at;
      const { model, retriever, initial, learningRate, text, tokenizer } = await asked.setup(at);
      const { query, trainingPassage } = textEncoders(tokenizer, text);
      const texts = { query, passage: trainingPassage };
      // None are mined for training where dev alone has a use for them.
      const isForDev = config.train.negatives === 0 && !negatives.named;
      const [forTrain, forDev] = [
        isForDev ? [] : await negatives.of('train', at),
        await negatives.of('dev', at),
      ];
      const trainSet = await trainingExamples(
        dataset,
        'train',
        texts,
        config.train,
        forTrain,
        teacher?.source,
      );
      if (trainSet.counts.examples === 0 && config.train.epochs > 0)
        throw nothingToTrainOn(dataset.name, trainSet.counts);
      const forRank = { ...config.train, rankPool: pool };
      const devSet = await trainingExamples(dataset, 'dev', texts, forRank, forDev);
      const { maxQueryTokens, maxPassageTokens } = text;
      forgetRead();
      const trained = await trainModel({
        ...{ engine, retriever, initial, cyclesNegatives, learningRate, seed, folder, progress },
        ...{ maxQueryTokens, maxPassageTokens, batchTokens: config.encode.batchTokens },
        examples: trainSet.examples,
        dev: devSet.examples,
        options: config.train,
        deviceMemoryMiB: config.deviceMemoryMiB,
        chunkIsUsual: hasUsualChunk(config, dataset.name),
      });
      await saveRetriever(folder, retriever, trained.weights, tokenizer.files, {
        ...{ model: model.name, t5LayerNorm, text },
      });
      const own = trained.weights.filter((_weights, i) => retriever.parameters[i]!.owner === 'pooling');
      const poolingWeights = retriever.architecture.pooling?.describeWeights?.(own);
      return {
        training: trained.facts,
        train: trainSet.counts,
        dev: devSet.counts,
        ...(poolingWeights && { poolingWeights }),
      };
    },
  };
}

/** What decides the chunk. */
function chunkIdentity({ train: { chunkSize }, deviceMemoryMiB }: BenchConfig): object | null {
  if (chunkSize === 'fitting') return { fitting: deviceMemoryMiB };
  return chunkSize === null ? null : { texts: chunkSize };
}

function nothingToTrainOn(name: string, { withoutNegatives = 0 }: ExampleCounts): BenchError {
  if (withoutNegatives > 0) {
    return new BenchError(
      'DATA_INVALID',
      `${name} has ${withoutNegatives} training queries with a positive and none that also has a hard negative, so nothing to train on.`,
      { hint: 'Name other negatives with --negatives, or train without any: --set train.negatives=0.' },
    );
  }
  return new BenchError(
    'DATA_INVALID',
    `${name} has no training query with a positive, so nothing to train on.`,
    {
      hint: 'To search it with a model trained elsewhere: --init CHECKPOINT --set train.epochs=0. bm25 needs no training.',
    },
  );
}

/** What was left out of training, for people: notes while it runs, and warnings of the record. */
export function remarks(
  train: ExampleCounts,
  dev: ExampleCounts,
  negativePool: number,
  { named }: Pick<ChosenNegatives, 'named'>,
): string[] {
  const {
    withoutPositive,
    positivesAmongNegatives,
    copiesOfPositives = 0,
    tooFewNegatives,
    shortPools,
  } = train;
  const { added, withoutAddedPositive = 0, withoutNegatives = 0 } = train;
  const lines: string[] = [];
  const say = (count: number, things: string, thing = things) => {
    if (count > 0) lines.push(`${count} ${count === 1 ? thing : things}`);
  };
  if (added !== undefined)
    lines.push(`${added} of ${train.examples} training examples come from files that name positives`);
  const among = added === undefined ? '' : ' of the original set';
  say(
    withoutPositive,
    `training queries${among} have no positive and are left out`,
    `training query${among} has no positive and is left out`,
  );
  say(
    withoutAddedPositive,
    'queries of those files have no positive there and no example of them',
    'query of those files has no positive there and no example of them',
  );
  say(
    withoutNegatives,
    'training queries have no negatives and are left out',
    'training query has no negatives and is left out',
  );
  say(
    positivesAmongNegatives,
    'negatives are judged relevant to their query and are left out',
    'negative is judged relevant to its query and is left out',
  );
  say(
    copiesOfPositives,
    'hits are a positive of their query word for word and are no negatives',
    'hit is a positive of its query word for word and is no negative',
  );
  say(
    tooFewNegatives,
    `of ${train.queries ?? train.examples} training queries have fewer hard negatives than asked for${
      train.withoutNegatives === undefined ? '' : ', and get them again'
    }`,
  );
  const { scoredPairs = 0, unscoredPairs = 0, untaughtExamples = 0, unusedScores = 0 } = train;
  say(
    unscoredPairs,
    `of ${scoredPairs + unscoredPairs} pairs of a query and a passage have no score of the teacher, and take no part in its loss`,
  );
  say(untaughtExamples, `of ${train.examples} training examples learn nothing from the teacher`);
  say(unusedScores, "of the teacher's scores are of pairs that are not trained on");
  say(dev.tooFewNegatives, `of ${dev.examples} dev queries have fewer hard negatives than asked for`);
  const { tooFewHardForRank = 0, tooFewOthersForRank = 0 } = dev;
  for (const [count, kind, option] of [
    [tooFewHardForRank, 'hard', 'averageRankHardNegatives'],
    [tooFewOthersForRank, 'other', 'averageRankOtherNegatives'],
  ] as const)
    say(
      count,
      `of ${dev.examples} dev queries bring fewer ${kind} negatives to the pool of average rank than train.${option} asks for`,
    );
  // The usual pool is as large as it can be; one that was asked for by name should be as large as was asked.
  if (named)
    say(
      shortPools,
      `training queries have fewer than ${negativePool} negatives in a source`,
      `training query has fewer than ${negativePool} negatives in a source`,
    );
  return lines;
}
