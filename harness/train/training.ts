/** A training that is under way: its arrays, what computes on them, and where it stands. */
import { closingOnFailure } from '../closing.js';
import { gpuMemoryMiB } from '../tensor/onnx/gpu-memory.js';
import { usualPrecision } from '../tensor/onnx/precision.js';
import { AdamW } from './adamw.js';
import type { BatchOptions } from './batches.js';
import { BatchesInTurn } from './batches-in-turn.js';
import { GradientCache } from './gradient-cache.js';
import { largerChunkText } from './larger-chunk.js';
import { firstScaling } from './loss-scale.js';
import { objectiveOf } from './objective.js';
import { rankPool } from './rank-pool.js';
import { emptyRunning } from './running-epoch.js';
import type { StepComputer } from './step.js';
import { StepClock } from './step-clock.js';
import { stepComputer } from './step-computer.js';
import { StepLog } from './step-log.js';
import type { TrainRequest } from './train-request.js';
import type { TrainingArrays } from './training-arrays.js';
import { largestBatch, shapeOfTexts, type TrainingSize } from './training-memory.js';
import { resumeState, saveState, type TrainingState } from './training-state.js';
import { Validation } from './validation.js';

export interface Training {
  readonly request: TrainRequest;
  readonly arrays: TrainingArrays;
  readonly batches: BatchesInTurn;
  readonly computer: StepComputer;
  readonly optimizer: AdamW;
  readonly validation: Validation;
  /** Of this request. */
  readonly stepsPerEpoch: number;
  readonly steps: number;
  readonly log: StepLog;
  readonly clock: StepClock;
  /** Changes with every step. */
  readonly state: TrainingState;
  /** Leaves on disk what the training goes on from. */
  save(): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * From the start, or from where an earlier process was stopped.
 * @throws BenchError OUT_OF_MEMORY where the device has not what a step takes; DamagedArtifact where what was left is not what was written
 */
export async function openTraining(request: TrainRequest, arrays: TrainingArrays): Promise<Training> {
  const { options, folder, retriever, examples } = request;
  const stepsPerEpoch = Math.ceil(examples.length / options.batchSize);
  const steps = stepsPerEpoch * options.epochs;
  return closingOnFailure(openComputers(request, arrays), async ({ size, ...computers }) => {
    const state = await firstState(request, arrays, steps);
    // One that is under way would begin again with another chunk.
    if (state.step === 0) sayLargerChunk(request, computers.computer, size);
    const log = new StepLog(folder);
    await log.rewind(state.step);
    return {
      ...{ request, arrays, stepsPerEpoch, steps, log, state, clock: new StepClock() },
      ...computers,
      async save() {
        await log.flush();
        await saveState(folder, retriever, arrays, state);
      },
    };
  });
}

function openComputers(request: TrainRequest, arrays: TrainingArrays) {
  const { engine, retriever, options, seed } = request;
  const { parameters, gradients, moments } = arrays;
  const batching = batchingOf(request);
  const { negatives, maxQueryTokens, maxPassageTokens } = batching;
  const context = {
    ...{ engine, retriever, parameters, gradients, seed },
    dropout: retriever.dropoutSites(1, 8).length > 0,
    ...{ objective: objectiveOf(options), precision: options.precision },
  };
  const tokens = { queryTokens: maxQueryTokens, passageTokens: maxPassageTokens };
  const largest = largestBatch({ ...options, negatives }, tokens);
  const weights = parameters.variables.reduce((sum, { size }) => sum + size, 0);
  const size = { weights, shape: shapeOfTexts(retriever.encoder), ...largest };
  const computer = stepComputer(context, options.chunkSize, request.deviceMemoryMiB ?? null, largest);
  const optimizer = new AdamW(engine, parameters, gradients, moments, retriever.decayed, options.weightDecay);
  const validation = validationOf(request, batching, arrays);
  return {
    ...{ batches: new BatchesInTurn(request, batching), computer, optimizer, validation, size },
    async dispose() {
      await Promise.all([computer.dispose(), optimizer.dispose(), validation.dispose()]);
    },
  };
}

/** To a user of a GPU who said nothing of it. */
function sayLargerChunk(request: TrainRequest, computer: StepComputer, size: TrainingSize): void {
  const { engine, deviceMemoryMiB = null, chunkIsUsual = false, progress } = request;
  // Memory is kept to by what computes as ONNX Runtime does on a device.
  if (engine.largestArrayBytes === undefined || deviceMemoryMiB !== null || !chunkIsUsual) return;
  if (!(computer instanceof GradientCache)) return;
  const line = largerChunkText(size, computer.chunkSize, gpuMemoryMiB(engine.device));
  if (line !== undefined) progress.note(line);
}

function batchingOf(request: TrainRequest): BatchOptions {
  const { options, examples, cyclesNegatives, retriever, maxQueryTokens, maxPassageTokens } = request;
  const { batchSize, missingNegative, otherPositives } = options;
  return {
    ...{ batchSize, otherPositives, maxQueryTokens, maxPassageTokens },
    negatives: examples.some((example) => example.negatives.length > 0) ? options.negatives : 0,
    missingNegative: cyclesNegatives === true ? 'cycled' : missingNegative,
    paddingId: retriever.encoder.paddingId,
  };
}

function validationOf(request: TrainRequest, batching: BatchOptions, { parameters }: TrainingArrays) {
  const { dev, options, progress } = request;
  const { averageRankTies: ties, temperature } = options;
  return new Validation({
    ...{ ...request, ...batching, parameters, examples: dev, pool: rankPool(options), ties, temperature },
    onBatch: progress.checkInterrupted,
  });
}

async function firstState(
  { folder, retriever, initial, options, progress }: TrainRequest,
  arrays: TrainingArrays,
  steps: number,
): Promise<TrainingState> {
  const left = await resumeState(folder, retriever, arrays, steps);
  if (left !== undefined) {
    progress.note(`training goes on from step ${left.step} of ${steps}`);
    return left;
  }
  for (const [i, variable] of arrays.parameters.variables.entries()) variable.write(initial[i]!);
  const scaling = options.precision === usualPrecision ? undefined : firstScaling();
  return { step: 0, epochs: [], running: emptyRunning(), ...(scaling && { scaling }) };
}
