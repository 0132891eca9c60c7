/** Training as a stage: a checkpoint in the cache, named by everything that decides its weights. */
import { BenchError } from '../errors.js';
import { saveRetriever } from '../model/retriever-files.js';
import type { Progress } from '../progress.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import { type ExampleCounts, trainingExamples } from '../train/examples.js';
import { rankPool, ranksEpochs } from '../train/rank-pool.js';
import { type TrainingFacts, train } from '../train/trainer.js';
import { textEncoders } from './checkpoint.js';
import { datasetIdentity, engineIdentity } from './identity.js';
import type { ChosenNegatives } from './negative-sources.js';
import type { Prepared } from './prepare.js';
import { stageCode } from './stage-code.js';
import type { TrainingSetup } from './starting-model.js';

export interface CheckpointFacts {
  training: TrainingFacts;
  train: ExampleCounts;
  dev: ExampleCounts;
  /** The pooling's trained weights as a reader wants them, by name. */
  poolingWeights?: Record<string, number[]>;
}

export async function trainStage(
  { config, store, dataset }: Prepared,
  setup: TrainingSetup,
  negatives: ChosenNegatives,
  engine: Engine,
  progress: Progress,
): Promise<Artifact<CheckpointFacts>> {
  const { model, retriever, learningRate, text, seed, tokenizer } = setup;
  const { t5LayerNorm } = config.model;
  const {
    saveEverySteps: _,
    averageRankHardNegatives: __,
    averageRankOtherNegatives: ___,
    averageRankTies,
    otherPositives,
    ...training
  } = config.train;
  const pool = rankPool(config.train);
  const { chunkSize } = training;
  const cyclesNegatives = dataset.trainsOn === 'each-positive';
  const inputs = {
    made: 'checkpoint 3',
    dataset: datasetIdentity(dataset),
    code: stageCode('train', { dataset, architecture: retriever.architecture, engine }),
    model: model.files.map(({ name, sha256 }) => ({ name, sha256 })),
    origin: model.name,
    tokenizer: tokenizer.sha256,
    trainedAs: model.trainedAs,
    architecture: { name: retriever.architecture.name, ...retriever.architecture.resolved },
    tied: retriever.tied,
    t5LayerNorm,
    training: { ...training, learningRate, chunkSize: chunkSize === null ? null : { texts: chunkSize } },
    negatives: negatives.identity,
    text,
    seed,
    engine: engineIdentity(engine),
    // Named only where it is not what it always was, so that no other checkpoint gets another name.
    ...(cyclesNegatives && { trainsOn: dataset.trainsOn, negativesOfEach: 'cycled, at least one' }),
    ...((cyclesNegatives || negatives.addsExamples) && { otherPositives }),
    ...(pool && { rankPool: pool }),
    ...(averageRankTies !== 'behind' && ranksEpochs(config.train) && { averageRankTies }),
    ...(training.missingNegative === 'padded' && { padded: 'to the batch, on dev too' }),
  };
  return store.artifact<CheckpointFacts>(
    'checkpoints',
    inputs,
    async (folder) => {
      const { query, trainingPassage } = textEncoders(tokenizer, text);
      const texts = { query, passage: trainingPassage };
      // None are mined for training where dev alone has a use for them.
      const isForDev = config.train.negatives === 0 && !negatives.named;
      const [forTrain, forDev] = [isForDev ? [] : await negatives.of('train'), await negatives.of('dev')];
      const trainSet = await trainingExamples(dataset, 'train', texts, config.train, forTrain);
      if (trainSet.counts.examples === 0 && config.train.epochs > 0)
        throw nothingToTrainOn(dataset.name, trainSet.counts);
      const devSet = await trainingExamples(
        dataset,
        'dev',
        texts,
        { ...config.train, rankPool: pool },
        forDev,
      );
      const trained = await train({
        engine,
        retriever,
        initial: setup.initial,
        examples: trainSet.examples,
        dev: devSet.examples,
        options: config.train,
        cyclesNegatives,
        learningRate,
        maxQueryTokens: text.maxQueryTokens,
        maxPassageTokens: text.maxPassageTokens,
        batchTokens: config.encode.batchTokens,
        seed,
        folder,
        progress,
      });
      await saveRetriever(folder, retriever, trained.weights, tokenizer.files, {
        model: model.name,
        t5LayerNorm,
        text,
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
    { dataset: dataset.name, system: retriever.architecture.name },
  );
}

function nothingToTrainOn(name: string, { withoutNegatives = 0 }: ExampleCounts): BenchError {
  if (withoutNegatives > 0) {
    return new BenchError(
      'DATA_INVALID',
      `${name} has ${withoutNegatives} training queries with a positive and none that also has a hard negative, so nothing to train on.`,
      {
        hint: 'Name other negatives with --negatives, or train without any: --set train.negatives=0.',
      },
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
  const say = (count: number, line: string) => {
    if (count > 0) lines.push(`${count} ${line}`);
  };
  if (added !== undefined)
    lines.push(`${added} of ${train.examples} training examples come from files that name positives`);
  const among = added === undefined ? '' : ' of the original set';
  say(withoutPositive, `training queries${among} have no positive and are left out`);
  say(withoutAddedPositive, 'queries of those files have no positive there and no example of them');
  say(withoutNegatives, 'training queries have no negatives and are left out');
  say(positivesAmongNegatives, 'negatives are judged relevant to their query and are left out');
  say(copiesOfPositives, 'hits are a positive of their query word for word and are no negatives');
  say(
    tooFewNegatives,
    `of ${train.queries ?? train.examples} training queries have fewer hard negatives than asked for${
      train.withoutNegatives === undefined ? '' : ', and get them again'
    }`,
  );
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
  if (named) say(shortPools, `training queries have fewer than ${negativePool} negatives in a source`);
  return lines;
}
