/** The loss of vectors that were encoded before, chunk by chunk, and its gradient with respect to them. */
import type { Tensor, Tensor2D, Tensor3D } from '../contracts.js';
import type { ArraySpec } from '../tensor/engine.js';
import * as tf from '../tensor/operations.js';
import type { ProgramCache } from '../tensor/program-cache.js';
import type { Batch } from './batches.js';
import { keptParts, labelFeeds, labelKey, labelSpecs, lossOf, usualObjective } from './objective.js';
import { type StepContext, Taker } from './step.js';
import { scaleFeeds, scaleSpecs } from './step-precision.js';

/** In the order of the batch. */
interface EncodedBatch {
  /** [B, D] */
  queries: Float32Array;
  /** [P, M, D], and which of them exist, [P, M]. */
  passages: Float32Array;
  present: Float32Array;
  lossScale: number;
}

/** The pooling's own gradients go to the variables of `context`. */
export async function lossOfVectors(
  context: StepContext,
  programs: ProgramCache,
  batch: Batch,
  { queries, passages, present, lossScale }: EncodedBatch,
): Promise<{ numbers: Float32Array; queries: Float32Array; passages: Float32Array }> {
  const { engine, retriever, parameters, gradients, objective = usualObjective } = context;
  const labels = labelSpecs(batch);
  const dimensions = retriever.encoder.shape.dimensions;
  const m = passages.length / batch.passages / dimensions;
  const own = retriever.parameters.flatMap(({ owner }, i) => (owner === 'pooling' ? [i] : []));
  const array = (...shape: number[]): ArraySpec => ({ shape, dtype: 'float32' });
  const program = await programs.get(
    `loss ${batch.queries},${batch.passages}x${m} of ${labelKey(batch)}`,
    () =>
      engine.compile(
        (inputs) => {
          const taker = new Taker(inputs);
          const [q, v, exists] = taker.take(3);
          const labelled = taker.take(labels.length);
          const weights = taker.take(own.length);
          const [scale] = taker.take(1);
          let parts: Tensor[] = [];
          const { value, grads } = tf.valueAndGrads((...trained: Tensor[]) => {
            const encoded = {
              queries: trained[0] as Tensor2D,
              passages: { vectors: trained[1] as Tensor3D, present: exists as Tensor2D },
              weights: trained.slice(2),
            };
            const loss = lossOf(retriever, objective, encoded, labelled);
            parts = keptParts(loss);
            return loss.loss;
          })([q!, v!, ...weights], scale as tf.Scalar | undefined);
          const numbers = tf.stack([value, ...parts, tf.scalar(0)]);
          tf.dispose(parts);
          return [numbers, ...grads];
        },
        [
          array(batch.queries, dimensions),
          array(batch.passages, m, dimensions),
          array(batch.passages, m),
          ...labels,
          ...own.map((i) => array(...retriever.parameters[i]!.shape)),
          ...scaleSpecs(context),
        ],
        { name: 'loss of cached vectors' },
      ),
  );
  const feeds = [queries, passages, present, ...labelFeeds(batch)];
  const [numbers, dQueries, dPassages] = await program.run(
    [...feeds, ...own.map((i) => parameters.variables[i]!), ...scaleFeeds(context, lossScale)],
    [undefined, undefined, undefined, ...own.map((i) => gradients.variables[i]!)],
  );
  return {
    numbers: numbers as Float32Array,
    queries: dQueries as Float32Array,
    passages: dPassages as Float32Array,
  };
}
