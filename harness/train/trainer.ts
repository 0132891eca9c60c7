/** The one trainer: it knows parameters, batches and dev scores, and nothing of what is inside the model. */
import { closing } from '../closing.js';
import { assertPrecision } from '../tensor/precision.js';
import { devScore, isBest } from './dev-score.js';
import { refuseBlindPatience, wasPatientEnough } from './patience.js';
import { emptyRunning, epochFacts } from './running-epoch.js';
import type { TrainRequest } from './train-request.js';
import { openTraining, type Training } from './training.js';
import { openArrays, refuseArrays } from './training-arrays.js';
import type { TrainingFacts } from './training-facts.js';
import { readBest, removeWorse, saveBest, savedEpoch } from './training-state.js';
import { update } from './update.js';

export interface Trained {
  weights: Float32Array[];
  facts: TrainingFacts;
}

/**
 * Trains, or goes on from where an earlier process was stopped; both give the same weights.
 * @throws BenchError CONFIG_INVALID for patience without a dev set and for a precision that nothing trains in here, OUT_OF_MEMORY, TRAINING_DIVERGED where the loss or gradient is not finite, INTERRUPTED after saving the state
 */
export async function train(request: TrainRequest): Promise<Trained> {
  const { engine, options, dev, initial } = request;
  refuseBlindPatience(options, dev);
  const sizes = initial.map((values) => values.length);
  refuseArrays(sizes);
  await assertPrecision(engine, options.precision, 'train.precision');
  return closing(openArrays(engine, sizes), async (arrays) =>
    closing(await openTraining(request, arrays), async (training) => {
      await allEpochs(training);
      return { weights: await keptWeights(training), facts: factsOf(training) };
    }),
  );
}

async function allEpochs(training: Training): Promise<void> {
  const { request, state, steps } = training;
  const { options, progress } = request;
  const stage = progress.stage('train', steps, 'steps');
  for (let epoch = state.epochs.length; epoch < options.epochs; epoch++) {
    if (wasPatientEnough(state, options.patience)) break;
    await stepsOf(training, epoch, (loss) =>
      stage.update(state.step, `epoch ${epoch + 1}/${options.epochs}, loss ${loss.toFixed(3)}`),
    );
    await endEpoch(training, epoch);
  }
  stage.end();
}

/** The steps of an epoch that are still to be made. */
async function stepsOf(training: Training, epoch: number, onStep: (loss: number) => void): Promise<void> {
  const { request, state, stepsPerEpoch } = training;
  const { progress, options } = request;
  const { saveEverySteps } = options;
  for (let at = state.step - epoch * stepsPerEpoch; at < stepsPerEpoch; at++) {
    if (progress.signal.aborted) await training.save();
    progress.checkInterrupted();
    onStep(await update(training, epoch));
    if (state.step % saveEverySteps === 0 && at + 1 < stepsPerEpoch) await training.save();
  }
}

/** Judges the weights by dev, where there is one, and keeps them where they are the best so far. */
async function endEpoch(training: Training, epoch: number): Promise<void> {
  const { request, arrays, validation, state } = training;
  const { dev, folder, options, progress, retriever } = request;
  const started = performance.now();
  const judging = dev.length > 0 ? devScore(validation, options, epoch) : undefined;
  const score = await judging?.catch(async (error) => {
    if (progress.signal.aborted) await training.save();
    throw error;
  });
  const milliseconds = performance.now() - started;
  state.epochs.push(epochFacts(epoch, state, score && { score, milliseconds }));
  state.running = emptyRunning();
  if (score !== undefined && isBest(score, epoch, state, options)) {
    if (options.checkpoint === 'best')
      state.bestSha256 = await saveBest(folder, retriever, arrays.parameters, epoch);
    Object.assign(state, { bestEpoch: epoch, bestScore: score.value });
  }
  await training.save();
  const saved = savedEpoch(state, options);
  if (saved !== undefined) await removeWorse(folder, saved);
  if (score !== undefined)
    progress.note(`epoch ${epoch + 1}: dev ${score.measure} ${score.value.toFixed(4)}`);
}

/** Of the best epoch, where its weights were kept; else of the last. */
async function keptWeights({ request, arrays, state }: Training): Promise<Float32Array[]> {
  const saved = savedEpoch(state, request.options);
  if (saved !== undefined) return readBest(request.folder, request.retriever, saved, state.bestSha256);
  return Promise.all(arrays.parameters.variables.map((variable) => variable.read()));
}

function factsOf({ request, state, clock }: Training): TrainingFacts {
  const { examples, dev, learningRate, options } = request;
  const { epochs, step, scaling } = state;
  return {
    epochs,
    keptEpoch: savedEpoch(state, options) ?? epochs.length - 1,
    steps: step,
    ...{ examples: examples.length, devExamples: dev.length, learningRate },
    ...(scaling && {
      ...{ precision: options.precision, skippedSteps: scaling.skipped },
      lossScale: scaling.scale,
    }),
    ...clock.facts(),
  };
}
