/** From a request to the checkpoint that is searched: lambda chosen on dev, and a second stage where one is asked for. */
import { type BenchConfig, secondTraining } from '../config/config.js';
import { BenchError } from '../errors.js';
import type { Progress } from '../progress.js';
import type { LambdaTried } from '../record.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import { openCheckpoint } from './checkpoint.js';
import { encodeStage } from './encode-stage.js';
import { mineStage } from './mine-stage.js';
import { type ChosenNegatives, chooseNegatives, usualSource } from './negative-sources.js';
import { negativesFile } from './negatives-file.js';
import type { Prepared } from './prepare.js';
import { queryStage } from './query-stage.js';
import { searchStage } from './search-stage.js';
import { closeSearching, openSearching } from './searching.js';
import type { StageLog } from './stage-log.js';
import { type SetupRequest, type TrainingSetup, trainingSetup } from './starting-model.js';
import { type CheckpointFacts, remarks, trainStage } from './train-stage.js';

export interface TrainingRequest extends SetupRequest {
  /** `dataset`, `bm25`, and files; the usual source where absent. */
  negatives?: readonly string[];
}

/** A training that is done, with all that decided it. */
export interface TrainedStage {
  checkpoint: Artifact<CheckpointFacts>;
  setup: TrainingSetup;
  config: BenchConfig;
  negatives: ChosenNegatives;
  lambdaSearch?: readonly LambdaTried[];
  /** The stage before, whose weights this one began with. */
  first?: TrainedStage;
}

/** Trains once, or twice with negatives mined in between where the configuration says `stages: 2`. */
export async function trainAll(
  prepared: Prepared,
  request: TrainingRequest,
  engine: Engine,
  log: StageLog,
  progress: Progress,
): Promise<TrainedStage> {
  const { config, dataset } = prepared;
  if (config.stages === 1) return trainOnce(prepared, request, engine, log, progress, '');
  const first = await trainOnce(prepared, request, engine, log, progress, ', stage 1');
  const checkpoint = await openCheckpoint(first.checkpoint.folder);
  const shards = await log.artifact('encode, stage 1', () =>
    encodeStage(prepared, checkpoint, engine, progress),
  );
  const searching = await openSearching(prepared, checkpoint, engine, shards.folder);
  const split = 'train';
  const mined = await log.artifact('mine', async () => {
    try {
      const encoded = await queryStage(prepared, checkpoint, engine, { split }, progress);
      const asked = { split, encoded, depth: config.stage2.depth } as const;
      const run = await searchStage(prepared, searching, shards.key, asked, progress);
      return await mineStage(prepared, searching.index, run, { split, negatives: null });
    } finally {
      await closeSearching(searching);
    }
  });
  const { init, negatives } = config.stage2;
  // Named even where nothing is drawn from it: it stands for the original examples.
  const { negatives: names = [usualSource(dataset)] } = request;
  const second = { ...prepared, config: secondStage(config) };
  const { lambda } = first.setup.retriever.architecture.resolved;
  const again: TrainingRequest = {
    ...request,
    ...(init === 'first' && { init: first.checkpoint.folder }),
    lambda,
    negatives: [...(negatives === 'both' ? names : []), negativesFile(mined.folder)],
  };
  progress.note(
    `stage 2: ${dataset.name} trained on again, with ${mined.facts.negatives} negatives and ${mined.facts.positives} positives mined`,
  );
  return { ...(await trainOnce(second, again, engine, log, progress, '')), first };
}

/** What the second stage does otherwise; what `stage2.*` leaves open follows from the first. */
export function secondStage(config: BenchConfig): BenchConfig {
  // Lambda was chosen in the first stage, where there was a choice.
  return { ...config, arch: { ...config.arch, lambda: null }, train: secondTraining(config) };
}

async function trainOnce(
  prepared: Prepared,
  request: TrainingRequest,
  engine: Engine,
  log: StageLog,
  progress: Progress,
  suffix: string,
): Promise<TrainedStage> {
  const { config } = prepared;
  const negatives = await chooseNegatives(prepared, request.negatives, progress);
  const values = Array.isArray(config.arch.lambda) && request.lambda === undefined ? config.arch.lambda : [];
  const usual = await trainingSetup(prepared, request, progress);
  const playsNoPart = usual.retriever.architecture.resolved.lambda === 0 && values[0] !== 0;
  if (values.length < 2 || playsNoPart) {
    const checkpoint = await log.artifact(`train${suffix}`, () =>
      trainStage(prepared, usual, negatives, engine, progress),
    );
    return { checkpoint, setup: usual, config, negatives };
  }
  const tried: { facts: CheckpointFacts; lambda: number }[] = [];
  for (const lambda of values) {
    progress.note(`lambda ${lambda}`);
    const setup = await trainingSetup(prepared, { ...request, lambda }, progress);
    const { facts } = await log.artifact(`train, lambda ${lambda}${suffix}`, () =>
      trainStage(prepared, setup, negatives, engine, progress),
    );
    tried.push({ facts, lambda });
  }
  const { lambda, lambdaSearch } = bestLambda(tried);
  progress.note(`lambda ${lambda} is the best on dev`);
  const setup = await trainingSetup(prepared, { ...request, lambda }, progress);
  const checkpoint = await log.artifact(`train${suffix}`, () =>
    trainStage(prepared, setup, negatives, engine, progress),
  );
  return { checkpoint, setup, config, negatives, lambdaSearch };
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
        {
          hint: 'Give one number, or train at least one epoch on a dataset that has dev queries.',
        },
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
export function trainingRemarks({ checkpoint, config, negatives, first, setup }: TrainedStage): string[] {
  const own = remarks(checkpoint.facts.train, checkpoint.facts.dev, config.train.negativePool, negatives);
  if (checkpoint.facts.dev.examples === 0 && config.train.checkpoint === 'best' && config.train.epochs > 0)
    own.push('there are no dev queries to choose a checkpoint by: the last one is kept');
  if (first === undefined) own.push(...setup.model.remarks);
  return [...(first === undefined ? [] : trainingRemarks(first).map((line) => `stage 1: ${line}`)), ...own];
}
