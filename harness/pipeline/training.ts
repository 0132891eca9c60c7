/** Trains what a request asks for: lambda chosen on dev, and a second stage where one is asked for. */

import { isDeepStrictEqual } from 'node:util';
import { type BenchConfig, defaultConfig } from '../config/config.js';
import type { DataFile } from '../contracts.js';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import type { LambdaTried } from '../record.js';
import type { MinedFacts } from '../stages/mine.js';
import { type CheckpointFacts, remarks } from '../stages/train.js';
import type { Trainings } from '../stages/training.js';
import type { Workbench } from '../stages/workbench.js';
import type { Artifact } from '../store/store.js';
import type { ChosenNegatives } from './negative-sources.js';
import type { TrainingSetup } from './starting-model.js';

/** A training that is done, with all that decided it. */
export interface TrainedStage {
  checkpoint: Artifact<CheckpointFacts>;
  setup: TrainingSetup;
  config: BenchConfig;
  negatives: Pick<ChosenNegatives, 'named' | 'identity'> & {
    described: Awaited<ReturnType<ChosenNegatives['described']>>;
  };
  /** The file of a teacher's scores. */
  teacher?: DataFile;
  lambdaSearch?: readonly LambdaTried[];
  /** The stage before, whose weights this one began with. */
  first?: TrainedStage;
  /** What became of the hits of the first, when examples were mined from them. */
  mined?: MinedFacts;
}

/** Trains once, or twice with examples mined in between. */
export async function trainAll(bench: Workbench, trainings: Trainings): Promise<TrainedStage> {
  const { first } = trainings;
  if (first === undefined) return trainOnce(bench, trainings, '');
  const before = await trainOnce(bench, first, ', stage 1');
  await bench.logged(first.shards, 'encode, stage 1');
  const { facts } = await bench.logged(first.mined, 'mine');
  await bench.close();
  bench.progress.note(
    `stage 2: ${bench.dataset.name} trained on again, with ${counted(facts.negatives, 'negatives')} and ${counted(facts.positives, 'positives')} mined`,
  );
  return { ...(await trainOnce(bench, trainings, '')), first: before, mined: facts };
}

async function trainOnce(bench: Workbench, trainings: Trainings, suffix: string): Promise<TrainedStage> {
  const { tried, checkpoint, config } = trainings;
  const { progress } = bench;
  let lambdaSearch: LambdaTried[] | undefined;
  if (checkpoint.chosen === undefined) {
    const made: { facts: CheckpointFacts; lambda: number }[] = [];
    for (const { lambda, stage } of tried) {
      progress.note(`lambda ${lambda}`);
      made.push({ facts: (await bench.logged(stage, stage.name)).facts, lambda: lambda! });
    }
    const best = bestLambda(made);
    progress.note(`lambda ${best.lambda} is the best on dev`);
    checkpoint.chosen = tried.find(({ lambda }) => lambda === best.lambda)!.stage;
    ({ lambdaSearch } = best);
  }
  let setup: TrainingSetup | undefined;
  // The model that it began with is read for the record, too, and is among what the training uses.
  const artifact = await bench.log.artifact(`train${suffix}`, async () => {
    const made = await bench.made(checkpoint);
    setup = await trainings.setup(bench);
    return made;
  });
  const { named, identity } = trainings.negatives;
  const { teacher } = trainings;
  return {
    ...(teacher && { teacher }),
    ...{ checkpoint: artifact, config, ...(lambdaSearch && { lambdaSearch }) },
    setup: setup!,
    negatives: { named, identity, described: await trainings.negatives.described(bench) },
  };
}

/**
 * The value whose kept epoch is the best on dev, judged as epochs are: by average rank where all kept epochs have one,
 * else by cross entropy. Of equal ones the value listed first.
 * @throws BenchError CONFIG_INVALID where there is no dev score to choose by
 */
export function bestLambda(tried: readonly { lambda: number; facts: Pick<CheckpointFacts, 'training'> }[]): {
  lambda: number;
  lambdaSearch: LambdaTried[];
} {
  const kept = tried.map(({ lambda, facts: { training } }) => {
    const epoch = training.epochs.find((each) => each.epoch === training.keptEpoch);
    if (epoch?.dev === undefined) {
      throw new BenchError(
        'CONFIG_INVALID',
        'arch.lambda is a list, and there is no dev score to choose by.',
        { hint: 'Give one number, or train at least one epoch on a dataset that has dev queries.' },
      );
    }
    return { lambda, epoch: epoch.epoch, dev: epoch.dev };
  });
  const byRank = kept.every(({ dev }) => dev.averageRank !== undefined);
  const lambdaSearch = kept.map(
    ({ lambda, epoch, dev }): LambdaTried => ({
      lambda,
      epoch,
      measure: byRank ? 'averageRank' : 'crossEntropy',
      dev: byRank ? dev.averageRank! : dev.crossEntropy,
    }),
  );
  const best = lambdaSearch.reduce((a, b) => (b.dev < a.dev ? b : a));
  return { lambda: best.lambda, lambdaSearch };
}

/** What a reader of the figures should know of a training and of the one before it. */
export function trainingRemarks({
  checkpoint,
  config,
  negatives,
  first,
  setup,
  mined,
}: TrainedStage): string[] {
  const own = remarks(checkpoint.facts.train, checkpoint.facts.dev, config.train.negativePool, negatives);
  if (checkpoint.facts.dev.examples === 0 && config.train.checkpoint === 'best' && config.train.epochs > 0)
    own.push('there are no dev queries to choose a checkpoint by: the last one is kept');
  if (first === undefined) own.push(...setup.model.remarks);
  const { temperature, epochs } = config.train;
  if (setup.retriever.similarity === 'cosine' && temperature > 0.5 && epochs > 0)
    own.push(
      `vectors were trained for their cosines at train.temperature ${temperature}, where a softmax hardly tells passages apart; 0.05 is usual`,
    );
  const { scores, ...lesson } = config.train.teacher;
  const { scores: _, ...usual } = defaultConfig().train.teacher;
  if (scores === null && !isDeepStrictEqual(lesson, usual))
    own.push('train.teacher.* plays no part without train.teacher.scores, the file of a teacher');
  if (mined !== undefined) own.push(...minedRemarks(mined));
  return [...(first === undefined ? [] : trainingRemarks(first).map((line) => `stage 1: ${line}`)), ...own];
}

/** What a reader should know of hits that were left out for their scores. */
export function minedRemarks({ tooClose, withoutLimit, negatives }: MinedFacts): string[] {
  if (tooClose === undefined) return [];
  const lines = [
    `${tooClose} of ${negatives + tooClose} mined hits score too close to a positive of their query and are no negatives`,
  ];
  if (withoutLimit)
    lines.push(
      `${counted(withoutLimit, 'queries have', 'query has')} no positive that scores could be held against`,
    );
  return lines;
}
