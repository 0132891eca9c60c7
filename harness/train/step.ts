/** One training step: the loss of a batch and the gradient of every parameter. */
import type { Tensor, Tensor2D } from '../contracts.js';
import type { DropoutSite, Encoder, EncoderInput } from '../model/encoder.js';
import type { Retriever } from '../model/retriever.js';
import { refuseBeyondMemory } from '../program/memory.js';
import type { ArraySpec, Engine, NumericArray, Variable, VariableSet } from '../tensor/engine.js';
import { lookUpPlan, planSize } from '../tensor/look-up.js';
import * as tf from '../tensor/operations.js';
import { ProgramCache } from '../tensor/program-cache.js';
import type { Batch } from './batches.js';
import type { MaskDraw } from './dropout-masks.js';
import { type MaskFeeds, maskFeeds } from './mask-feeds.js';
import {
  keptParts,
  labelFeeds,
  labelKey,
  labelSpecs,
  lossOf,
  type Objective,
  usualObjective,
} from './objective.js';
import { productsIn, scaleFeeds, scaleSpecs } from './step-precision.js';
import { activationBytes, shapeOfTexts } from './training-memory.js';

export interface StepResult {
  loss: number;
  contrastive: number;
  /** Absent where the architecture has none. */
  regularizer?: number;
  /** What a teacher's scores gave, before its weight; absent where there is none. */
  taught?: number;
  /** Norm of the whole gradient, before clipping and without the scale of the loss; not finite where it overflowed. */
  gradientNorm: number;
}

/** Computes gradients into the set it was given. */
export interface StepComputer {
  /**
   * @param lossScale what the gradients that it leaves are multiplied by; other than 1 in another precision alone
   * @param next the batch of step + 1, where it is known: its masks are drawn while a device computes this one. Nothing comes of it
   *   but time, and where another batch comes, that one's masks are drawn
   */
  compute(batch: Batch, step: number, lossScale?: number, next?: Batch): Promise<StepResult>;
  dispose(): Promise<void>;
}

export interface StepContext {
  engine: Engine;
  retriever: Retriever;
  parameters: VariableSet;
  /** One per parameter: what a step leaves. */
  gradients: VariableSet;
  seed: number;
  /** Whether dropout applies. */
  dropout: boolean;
  /** The usual one where absent. */
  objective?: Objective;
  /** Of products with weights and of what makes their gradients; float32 where absent. */
  precision?: string;
}

export const parameterSpecs = (retriever: Retriever): ArraySpec[] =>
  retriever.parameters.map(({ shape }) => ({ shape, dtype: 'float32' }));

/** Ids, mask and plan of texts: what `Taker.input` takes. */
const inputsOfTexts = 3;

export const textSpecs = (encoder: Encoder, texts: number, tokens: number): ArraySpec[] => [
  { shape: [texts, tokens], dtype: 'int32' },
  { shape: [texts, tokens], dtype: 'float32' },
  { shape: [planSize(texts * tokens, encoder.vocabularySize)], dtype: 'int32' },
];

/** What is fed for `textSpecs`. */
export function textFeeds(encoder: Encoder, ids: Int32Array, mask: Float32Array): NumericArray[] {
  const untrained = encoder.trainsPadding ? undefined : encoder.paddingId;
  return [ids, mask, lookUpPlan(ids, encoder.vocabularySize, untrained)];
}

/**
 * Call it before a program of so many texts is made. A device's memory is not this machine's: `chunkFor` looks at that.
 * @throws BenchError OUT_OF_MEMORY
 */
export function refuseTexts(
  { engine, retriever: { encoder }, precision }: Pick<StepContext, 'engine' | 'retriever' | 'precision'>,
  texts: number,
  tokens: number,
): void {
  if (engine.largestArrayBytes !== undefined) return;
  refuseBeyondMemory(
    activationBytes(shapeOfTexts(encoder), texts, tokens, precision),
    `Training on ${texts} texts of ${tokens} tokens at once`,
    'Make train.chunkSize smaller, or train.batchSize where it is null.',
  );
}

/** What masks are drawn for, of so many texts. */
export const sitesOf = (
  { retriever, dropout }: Pick<StepContext, 'retriever' | 'dropout'>,
  texts: number,
  tokens: number,
): readonly DropoutSite[] => (dropout ? retriever.dropoutSites(texts, tokens) : []);

/** Takes tensors off the front of a list in the order of the specs they were made from. */
export class Taker {
  #next = 0;
  constructor(readonly tensors: readonly Tensor[]) {}
  take(count: number): Tensor[] {
    this.#next += count;
    return this.tensors.slice(this.#next - count, this.#next);
  }
  input(): EncoderInput & { plan: tf.Tensor1D } {
    const [ids, mask, plan] = this.take(inputsOfTexts) as [Tensor2D, Tensor2D, tf.Tensor1D];
    return { ids, mask, plan };
  }
}

/** The sum of squares of all gradients: what clipping needs to know. */
export const squaredNorm = (gradients: readonly Tensor[]): Tensor =>
  gradients.map((gradient) => tf.sum(tf.square(gradient))).reduce((sum, term) => tf.add(sum, term));

/** @param numbers loss, its parts as `keptParts` has them, squared norm of the gradient times `lossScale` */
export function resultOf(
  numbers: Float32Array,
  { retriever, objective }: Pick<StepContext, 'retriever' | 'objective'>,
  lossScale: number,
): StepResult {
  const [loss, contrastive, regularizer, taught, square] = numbers;
  return {
    ...{ loss: loss!, contrastive: contrastive!, gradientNorm: Math.sqrt(square!) / lossScale },
    ...(retriever.architecture.resolved.lambda !== 0 && { regularizer: regularizer! }),
    ...(objective?.teacher && { taught: taught! }),
  };
}

/** Forward, loss and backward as one program. Memory grows with the batch; see GradientCache for one that does not. */
export class DirectStep implements StepComputer {
  readonly #programs = new ProgramCache(4);

  readonly masks: MaskFeeds;

  constructor(readonly context: StepContext) {
    this.masks = maskFeeds(context.engine);
  }

  async compute(batch: Batch, step: number, lossScale = 1, next?: Batch): Promise<StepResult> {
    const { engine, retriever, parameters, gradients } = this.context;
    const { queries, passages, queryTokens, passageTokens } = batch;
    refuseTexts(this.context, passages, passageTokens);
    const draws = this.#draws(batch, step);
    const [querySites, passageSites] = [draws[0].sites, draws[1].sites];
    const masks = this.masks.ofStep(draws);
    if (next !== undefined) this.masks.ahead(this.#draws(next, step + 1));
    const key = `${queries}x${queryTokens},${passages}x${passageTokens} of ${labelKey(batch)}`;
    const program = await this.#programs.get(key, () => {
      const inputs: ArraySpec[] = [
        ...parameterSpecs(retriever),
        ...textSpecs(retriever.encoder, queries, queryTokens),
        ...this.masks.specs(querySites),
        ...textSpecs(retriever.encoder, passages, passageTokens),
        ...this.masks.specs(passageSites),
        ...labelSpecs(batch),
        ...scaleSpecs(this.context),
      ];
      const sites = [querySites, passageSites] as const;
      const build = directProgram(this.context, this.masks, sites, labelSpecs(batch).length);
      return engine.compile(build, inputs, {
        name: 'training step',
        ...productsIn(this.context, (parameter) => 1 + parameter),
      });
    });
    const feeds: (NumericArray | Variable)[] = [
      ...parameters.variables,
      ...textFeeds(retriever.encoder, batch.queryIds, batch.queryMask),
      ...(await masks[0]!()),
      ...textFeeds(retriever.encoder, batch.passageIds, batch.passageMask),
      ...(await masks[1]!()),
      ...labelFeeds(batch),
      ...scaleFeeds(this.context, lossScale),
    ];
    const into = [undefined, ...gradients.variables];
    const [numbers] = await program.run(feeds, into);
    return resultOf(numbers as Float32Array, this.context, lossScale);
  }

  #draws({ queries, queryTokens, passages, passageTokens }: Batch, step: number): [MaskDraw, MaskDraw] {
    const draw = (side: MaskDraw['side'], texts: number, tokens: number): MaskDraw => ({
      ...{ sites: sitesOf(this.context, texts, tokens), seed: this.context.seed, step, side },
      places: placesOf(texts),
    });
    return [draw('query', queries, queryTokens), draw('passage', passages, passageTokens)];
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#programs.dispose(), this.masks.dispose()]);
  }
}

/** Of all texts of a side of a batch. */
const placesOf = (texts: number): Int32Array => Int32Array.from({ length: texts }, (_, i) => i);

/** @returns a program whose first output is [loss, its parts, squared norm], the others the gradients */
function directProgram(
  { retriever, objective = usualObjective }: StepContext,
  masks: MaskFeeds,
  [querySites, passageSites]: readonly [readonly DropoutSite[], readonly DropoutSite[]],
  labels: number,
) {
  return (inputs: Tensor[]): Tensor[] => {
    const taker = new Taker(inputs);
    const weights = taker.take(retriever.parameters.length);
    const [queryInput, queryKeep] = [taker.input(), masks.keep(taker.take(querySites.length), querySites)];
    const [passageInput, passageKeep] = [
      taker.input(),
      masks.keep(taker.take(passageSites.length), passageSites),
    ];
    const labelled = taker.take(labels);
    const [scale] = taker.take(1);
    let parts: Tensor[] = [];
    const { value, grads } = tf.valueAndGrads((...trained: Tensor[]) => {
      const encoded = {
        queries: retriever.queryVectors(trained, queryInput, queryKeep),
        passages: retriever.passages(trained, passageInput, passageKeep),
        weights: retriever.poolingWeights(trained),
      };
      const loss = lossOf(retriever, objective, encoded, labelled);
      parts = keptParts(loss);
      return loss.loss;
    })(weights, scale as tf.Scalar | undefined);
    const numbers = tf.stack([value, ...parts, squaredNorm(grads)]);
    tf.dispose(parts);
    return [numbers, ...grads];
  };
}
