/** The one trainer: it knows parameters, batches and dev scores, and nothing of what is inside the model. */
import type { TrainConfig } from '../config/bench-config.js';
import type { Retriever } from '../model/retriever.js';
import { refuseBeyondMemory } from '../program/memory.js';
import type { Progress } from '../progress.js';
import type { Engine } from '../tensor/engine.js';
import { usualPrecision } from '../tensor/onnx/precision.js';
import { assertPrecision } from '../tensor/precision.js';
import { AdamW } from './adamw.js';
import { type BatchOptions, epochOrder, makeBatch, type TrainingExample } from './batches.js';
import { devScore, isBest } from './dev-score.js';
import { overflowed, refuseDivergence } from './divergence.js';
import { firstScaling, scalingAfter } from './loss-scale.js';
import { objectiveOf } from './objective.js';
import { refuseBlindPatience, wasPatientEnough } from './patience.js';
import { rankPool } from './rank-pool.js';
import { addStep, emptyRunning, epochFacts } from './running-epoch.js';
import { learningRateAt } from './schedule.js';
import { stepComputer } from './step-computer.js';
import { StepLog } from './step-log.js';
import type { TrainingFacts } from './training-facts.js';
import { largestBatch } from './training-memory.js';
import {
  readBest,
  removeWorse,
  resumeState,
  saveBest,
  saveState,
  type TrainingState,
} from './training-state.js';
import { Validation } from './validation.js';

export interface TrainRequest {
  engine: Engine;
  retriever: Retriever;
  /** One per parameter: where training starts from. */
  initial: readonly Float32Array[];
  examples: readonly TrainingExample[];
  /** Empty where there is no dev set: then the last epoch's weights are kept. */
  dev: readonly TrainingExample[];
  options: TrainConfig;
  /** A query with too few negatives is given them again, whatever `options.missingNegative` says. */
  cyclesNegatives?: boolean;
  /** Of the device, where it is known. */
  deviceMemoryMiB?: number | null;
  /** The peak of the schedule. */
  learningRate: number;
  maxQueryTokens: number;
  maxPassageTokens: number;
  /** Tokens per batch when dev is encoded. */
  batchTokens: number;
  seed: number;
  /** Where the state lies while training goes on, and the step metrics for good. */
  folder: string;
  progress: Progress;
}

export interface Trained {
  weights: Float32Array[];
  facts: TrainingFacts;
}

/**
 * Trains, or goes on from where an earlier process was stopped; both give the same weights.
 * @throws BenchError CONFIG_INVALID for patience without a dev set and for a precision that nothing trains in here, TRAINING_DIVERGED where the loss or gradient is not finite, INTERRUPTED after saving the state
 */
export async function train(request: TrainRequest): Promise<Trained> {
  const { engine, retriever, options, seed, folder, progress, examples, dev } = request;
  refuseBlindPatience(options, dev);
  const sizes = request.initial.map((values) => values.length);
  const elements = sizes.reduce((sum, size) => sum + size, 0);
  refuseBeyondMemory(
    4 * 4 * elements,
    `Training ${elements.toLocaleString('en-US')} weights, each with its gradient and two moments,`,
    'Choose a smaller model, or one encoder for queries and passages: --set model.tied=true.',
  );
  await assertPrecision(engine, options.precision, 'train.precision');
  const sets = [0, 1, 2, 3].map(() => engine.variables(sizes)) as [
    Variables,
    Variables,
    Variables,
    Variables,
  ];
  const [parameters, gradients, first, second] = sets;
  const moments = { first, second };
  const arrays = { parameters, moments };
  const optimizer = new AdamW(engine, parameters, gradients, moments, retriever.decayed, options.weightDecay);
  const context = {
    ...{ engine, retriever, parameters, gradients, seed },
    ...{ dropout: hasDropout(retriever), objective: objectiveOf(options), precision: options.precision },
  };
  const negatives = examples.some((example) => example.negatives.length > 0) ? options.negatives : 0;
  const tokens = { queryTokens: request.maxQueryTokens, passageTokens: request.maxPassageTokens };
  const largest = largestBatch({ ...options, negatives }, tokens);
  const computer = stepComputer(context, options.chunkSize, request.deviceMemoryMiB ?? null, largest);
  const batching: BatchOptions = {
    batchSize: options.batchSize,
    negatives,
    missingNegative: request.cyclesNegatives === true ? 'cycled' : options.missingNegative,
    otherPositives: options.otherPositives,
    maxQueryTokens: request.maxQueryTokens,
    maxPassageTokens: request.maxPassageTokens,
    paddingId: retriever.encoder.paddingId,
  };
  const pool = rankPool(options);
  const { averageRankTies: ties, temperature } = options;
  const judged = {
    ...{ ...request, ...batching, parameters, examples: dev, pool, ties, temperature },
    onBatch: progress.checkInterrupted,
  };
  const validation = new Validation(judged);
  const log = new StepLog(folder);

  const stepsPerEpoch = Math.ceil(examples.length / options.batchSize);
  const steps = stepsPerEpoch * options.epochs;
  let state = await resumeState(folder, retriever, arrays, steps);
  if (state === undefined) {
    for (const [i, variable] of parameters.variables.entries()) variable.write(request.initial[i]!);
    state = { step: 0, epochs: [], running: emptyRunning() };
    if (options.precision !== usualPrecision) state.scaling = firstScaling();
  } else progress.note(`training goes on from step ${state.step} of ${steps}`);
  await log.rewind(state.step);

  const stage = progress.stage('train', steps, 'steps');
  const clock = { steps: 0, passages: 0, wallMs: 0, engineMs: 0 };
  const save = async () => {
    await log.flush();
    await saveState(folder, retriever, arrays, state);
  };
  try {
    for (let epoch = state.epochs.length; epoch < options.epochs; epoch++) {
      if (wasPatientEnough(state, options.patience)) break;
      const order = epochOrder(examples.length, seed, epoch);
      for (let at = state.step - epoch * stepsPerEpoch; at < stepsPerEpoch; at++) {
        if (progress.signal.aborted) await save();
        progress.checkInterrupted();
        const started = performance.now();
        const busy = engine.busyMs;
        const members = order.subarray(at * options.batchSize, (at + 1) * options.batchSize);
        const batch = makeBatch(
          Array.from(members, (i) => examples[i]!),
          seed,
          epoch,
          batching,
        );
        const step = state.step + 1;
        const { scaling } = state;
        const result = await computer.compute(batch, step, scaling?.scale);
        const skipped = scaling !== undefined && scaling.scale > 1 && overflowed(result);
        if (!skipped)
          refuseDivergence(result, { step, epoch, folder, saved: savedEpoch(state, options) }, options);
        const learningRate = learningRateAt(state.step, steps, options.warmup, request.learningRate);
        const clip = clipScale(result.gradientNorm, options.clipNorm) / (scaling?.scale ?? 1);
        const update = step - (scaling?.skipped ?? 0);
        const kernelMs = skipped ? 0 : await optimizer.step(update, learningRate, clip);
        if (scaling !== undefined) state.scaling = scalingAfter(scaling, skipped);
        const milliseconds = performance.now() - started;
        const engineMs = engine.busyMs - busy + kernelMs;
        log.add({
          epoch,
          step,
          ...result,
          ...(scaling && { lossScale: scaling.scale, skipped }),
          learningRate,
          milliseconds,
          javascriptShare: 1 - engineMs / milliseconds,
        });
        addStep(state, result, milliseconds);
        // The first steps of a process also compile; they say nothing about speed.
        if (clock.steps++ >= warmupSteps) {
          clock.passages += batch.passages;
          clock.wallMs += milliseconds;
          clock.engineMs += engineMs;
        }
        stage.update(state.step, `epoch ${epoch + 1}/${options.epochs}, loss ${result.loss.toFixed(3)}`);
        if (state.step % options.saveEverySteps === 0 && at + 1 < stepsPerEpoch) await save();
      }
      const judgingFrom = performance.now();
      const judging = dev.length > 0 ? devScore(validation, options, epoch) : undefined;
      const score = await judging?.catch(async (error) => {
        if (progress.signal.aborted) await save();
        throw error;
      });
      const milliseconds = performance.now() - judgingFrom;
      state.epochs.push(epochFacts(epoch, state, score && { score, milliseconds }));
      state.running = emptyRunning();
      if (score !== undefined && isBest(score, epoch, state, options)) {
        if (options.checkpoint === 'best')
          state.bestSha256 = await saveBest(folder, retriever, parameters, epoch);
        Object.assign(state, { bestEpoch: epoch, bestScore: score.value });
      }
      await save();
      const saved = savedEpoch(state, options);
      if (saved !== undefined) await removeWorse(folder, saved);
      if (score !== undefined)
        progress.note(`epoch ${epoch + 1}: dev ${score.measure} ${score.value.toFixed(4)}`);
    }
    stage.end();
    const saved = savedEpoch(state, options);
    const keptEpoch = saved ?? state.epochs.length - 1;
    const weights =
      saved === undefined
        ? await Promise.all(parameters.variables.map((variable) => variable.read()))
        : await readBest(folder, retriever, saved, state.bestSha256);
    const measured = Math.max(0, clock.steps - warmupSteps);
    return {
      weights,
      facts: {
        epochs: state.epochs,
        keptEpoch,
        steps: state.step,
        examples: examples.length,
        devExamples: dev.length,
        learningRate: request.learningRate,
        ...(state.scaling && {
          ...{ precision: options.precision, skippedSteps: state.scaling.skipped },
          lossScale: state.scaling.scale,
        }),
        stepsPerSecond: rate(measured, clock.wallMs),
        passagesPerSecond: rate(clock.passages, clock.wallMs),
        javascriptShare: clock.wallMs === 0 ? 0 : 1 - clock.engineMs / clock.wallMs,
      },
    };
  } finally {
    await Promise.all([computer.dispose(), optimizer.dispose(), validation.dispose()]);
    for (const set of sets) set.dispose();
  }
}

type Variables = ReturnType<Engine['variables']>;

export type { EpochFacts, TrainingFacts } from './training-facts.js';

const warmupSteps = 5;
const rate = (count: number, milliseconds: number) =>
  milliseconds === 0 ? 0 : (1000 * count) / milliseconds;
const hasDropout = (retriever: Retriever) => retriever.dropoutSites(1, 8).length > 0;

/** What the gradient is multiplied by so that its norm does not exceed the limit (torch.nn.utils.clip_grad_norm_). */
export function clipScale(norm: number, limit: number | null): number {
  return limit === null ? 1 : Math.min(1, limit / (norm + 1e-6));
}

/** The epoch whose weights lie in the folder as the best so far; undefined where none are kept there. */
const savedEpoch = ({ bestEpoch }: TrainingState, { checkpoint }: TrainConfig): number | undefined =>
  checkpoint === 'best' ? bestEpoch : undefined;
