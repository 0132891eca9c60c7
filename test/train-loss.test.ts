import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Pooling, Tensor2D, Tensor3D } from '../harness/contracts.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';
import { contrastiveLoss, largestOf } from '../harness/train/loss.js';
import { devSimilarity } from './dev-similarity.js';
import { poolings } from './found-architectures.js';

describe('the parts of the loss', async () => {
  const engine = await openEngine('tfjs-cpu');
  after(() => engine.dispose());
  const run = async (build: () => tf.Tensor[]) => {
    const program = await engine.compile(build, []);
    return (await program.run([])).map((values) => [...values!]);
  };

  it('send the gradient of a maximum to the first of equal values alone', async () => {
    const [value, gradient] = await run(() => {
      const x = tf.tensor2d([
        [1, 3, 3],
        [2, 2, 2],
        [0, -1, 5],
      ]);
      const { value, grad } = tf.valueAndGrad((t) => tf.sum(largestOf(t)))(x);
      return [value, grad];
    });
    assert.deepEqual(value, [10]);
    assert.deepEqual(gradient, [0, 1, 0, 1, 0, 0, 0, 0, 1]);
  });

  it('send the gradient of a largest and a smallest over several axes to one place each', async () => {
    const [largest, smallest] = await run(() => {
      const x = tf.tensor3d([1, 5, 5, 0, 0, 5, 7, 7, 7, 7, 7, 7], [2, 2, 3]);
      const gradientOf = (of: (t: tf.Tensor) => tf.Tensor) => tf.grad((t: tf.Tensor) => tf.sum(of(t)))(x);
      return [gradientOf((t) => tf.max(t, [1, 2])), gradientOf((t) => tf.min(t, [0, 2]))];
    });
    assert.deepEqual(largest, [0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    assert.deepEqual(smallest, [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  // biome-ignore format: a row per query
  const queries = () => tf.tensor2d([[1, 0], [-2, 1]]);
  // biome-ignore format: a row per passage
  const vectors = () => tf.tensor3d([[[-3, 0], [9, 9]], [[2, 1], [1, 1]], [[0, 0], [0, 0]]]);
  // biome-ignore format: a row per passage
  const present = () => tf.tensor2d([[1, 0], [1, 1], [0, 0]]);
  // biome-ignore format: a row per query
  const positive = () => tf.tensor2d([[1, 0, 0], [0, 1, 0]]);

  it('let an absent vector win nothing, even where every other score is negative', async () => {
    const [similarity] = await run(() => [
      devSimilarity(queries(), { vectors: vectors(), present: present() }),
    ]);
    assert.deepEqual(similarity!.slice(0, 2), [-3, 2]);
    assert.deepEqual(similarity!.slice(3, 5), [6, -1]);
    assert.ok(similarity![2]! < -1e20 && similarity![5]! < -1e20, 'a passage without vectors is never found');
  });

  it('stay finite with a passage without vectors, and with large scores', async () => {
    for (const scale of [1, 1e4]) {
      for (const pooling of [undefined, ...poolings.values()]) {
        const outputs = await run(() => {
          const weights = pooling?.parameters === undefined ? [] : [tf.zeros([2])];
          const loss = (...[q, v, ...rest]: tf.Tensor[]) =>
            contrastiveLoss({
              queries: q as Tensor2D,
              passages: { vectors: v as Tensor3D, present: present() },
              positive: positive(),
              ...(pooling && { pooling }),
              weights: rest,
              lambda: 1,
            }).loss;
          const { value, grads } = tf.valueAndGrads(loss)([tf.mul(queries(), scale), vectors(), ...weights]);
          return [value, ...grads];
        });
        assert.ok(outputs.flat().every(Number.isFinite), `${pooling?.shortName} ${outputs}`);
        assert.ok(outputs[0]![0]! >= 0);
      }
    }
  });

  it('leave out candidates for all queries, or for each', async () => {
    const loss = (candidates?: tf.Tensor) =>
      contrastiveLoss({
        queries: queries(),
        passages: { vectors: vectors() },
        positive: positive(),
        ...(candidates && { candidates }),
        lambda: 0,
      }).loss;
    const [all, none, each] = await run(() => [
      loss(),
      loss(tf.tensor1d([1, 1, 0])),
      // biome-ignore format: a row per query
      loss(tf.tensor2d([[1, 0, 0], [0, 1, 0]])),
    ]);
    // Scores of query 0 are 9, 2, 0; of query 1 are 6, -1, 0.
    const of = (own: number, others: number[]) =>
      Math.log(others.reduce((sum, s) => sum + Math.exp(s - own), 1));
    assert.ok(Math.abs(all![0]! - (of(9, [2, 0]) + of(-1, [6, 0])) / 2) < 1e-6);
    assert.ok(Math.abs(none![0]! - (of(9, [2]) + of(-1, [6])) / 2) < 1e-6);
    assert.equal(Math.abs(each![0]!), 0);
  });

  it('of self-contrastive pooling use the last layer for the own positive and the best vector for the others', async () => {
    const sc = poolings.get('sc') as Pooling;
    const [training, dev] = await run(() => {
      const passages = { vectors: vectors() };
      const batch = { queries: queries(), passages, positive: positive(), pooling: sc, lambda: 1 };
      return [contrastiveLoss(batch).similarity, devSimilarity(queries(), passages, sc)];
    });
    assert.deepEqual(training, [-3, 2, 0, 6, -3, 0]);
    assert.deepEqual(
      dev!.map((score) => score + 0),
      [-3, 2, 0, 6, -3, 0],
    );
  });
});
