import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fitExtent, formula, settlingShapes, sizeAt } from '../harness/tensor/onnx/extent.js';
import { StoredModel } from '../harness/tensor/onnx/stored-model.js';
import { writeTokenModel } from '../harness/tensor/onnx/token-model.js';
import type { TokenProgram } from '../harness/tensor/onnx/token-program.js';
import * as tf from '../harness/tensor/operations.js';

const folder = await mkdtemp(path.join(tmpdir(), 'strata-token-model-'));
after(() => rm(folder, { recursive: true }));

const program = (build: TokenProgram['build'], more: Partial<TokenProgram> = {}): TokenProgram => ({
  weights: [],
  build,
  outputs: [{ name: 'vectors', dtype: 'float32' }],
  longest: 40,
  paddingId: 9,
  properties: {},
  ...more,
});

/** The output for `batch` texts of `tokens` tokens, all of them present. */
async function run(
  { bytes }: { bytes: Uint8Array },
  ids: number[],
  shape: [number, number],
): Promise<number[]> {
  const file = path.join(folder, 'model.onnx');
  await writeFile(file, bytes);
  const model = await StoredModel.open(file);
  const { vectors } = await model.run(Int32Array.from(ids), new Float32Array(ids.length).fill(1), shape);
  await model.dispose();
  return [...vectors];
}

test('an extent is what fits every shape, or nothing', () => {
  const shapes = [...settlingShapes([2, 3], [5, 8]), { batch: 7, tokens: 6 }];
  const fit = (size: (b: number, t: number) => number) =>
    fitExtent(
      shapes.map(({ batch, tokens }) => size(batch, tokens)),
      shapes,
    );
  for (const [size, name] of [
    [() => 4, '4'],
    [() => 0, '0'],
    [(b) => b, 'batch'],
    [(_, t) => t + 1, 'sequence + 1'],
    [(b, t) => 3 * b * t + 2 * t - 1, '3 * batch * sequence + 2 * sequence + -1'],
  ] as [(b: number, t: number) => number, string][]) {
    const extent = fit(size);
    assert.equal(extent && formula(extent), name);
    assert.equal(sizeAt(extent!, { batch: 11, tokens: 13 }), size(11, 13));
  }
  assert.equal(
    fit((_, t) => t * t),
    undefined,
  );
  assert.equal(
    fit((b, t) => b / t),
    undefined,
  );
  assert.equal(
    fit((_, t) => Math.min(t, 6)),
    undefined,
  );
});

test('sizes, sequences and fillings that follow B and T are worked out in the file', async () => {
  const model = writeTokenModel(
    program((_, ids) => {
      const [batch, tokens] = ids.shape as [number, number];
      const places = tf.cast(tf.range(0, 2 * tokens, 2, 'int32'), 'float32'); // [T]
      const twice = tf.tile(tf.reshape(tf.cast(ids, 'float32'), [batch * tokens, 1]), [1, 2]); // [B * T, 2]
      const sum = tf.add(tf.reshape(twice, [batch, tokens, 2]), tf.reshape(places, [1, tokens, 1]));
      return [tf.concat([sum, tf.mul(tf.ones([batch, 1, 2]), tokens)], 1)]; // [B, T + 1, 2]
    }),
  );
  assert.equal(model.shortest, 1);
  assert.deepEqual(await run(model, [5, 6, 7], [1, 3]), [5, 5, 8, 8, 11, 11, 3, 3]);
  assert.deepEqual(await run(model, [5, 8], [2, 1]), [5, 5, 1, 1, 8, 8, 1, 1]);
  const long = await run(model, new Array(300).fill(1), [2, 150]);
  assert.deepEqual(long.slice(-4), [299, 299, 150, 150]);
});

test('texts too short for the way that long ones take are padded to it, and what is given back is as long as they', async () => {
  const model = writeTokenModel(
    program((_, ids, mask) => {
      const [batch, tokens] = ids.shape as [number, number];
      const x = tf.mul(tf.cast(ids, 'float32'), mask);
      // From 4 tokens on, the fourth is added to all.
      const fourth = tokens < 4 ? tf.zeros([batch, 1]) : tf.slice(x, [0, 3], [batch, 1]);
      return [tf.expandDims(tf.add(x, fourth), 2)]; // [B, T, 1]
    }),
  );
  assert.equal(model.shortest, 4);
  assert.deepEqual(await run(model, [1, 2, 3, 4, 5], [1, 5]), [5, 6, 7, 8, 9]);
  assert.deepEqual(await run(model, [1, 2, 3, 4], [2, 2]), [1, 2, 3, 4]);
});

test('a written file is of the version of ONNX that its operators are of, and says who wrote it', () => {
  const { bytes } = writeTokenModel(program((_, ids) => [tf.expandDims(tf.cast(ids, 'float32'), 2)]));
  const head = Buffer.from(bytes);
  // By the fields of onnx.proto: the version of the format, who wrote it, and the operators of ONNX's own domain.
  assert.deepEqual([...head.subarray(0, 2)], [1 << 3, 10]);
  assert.deepEqual(head.subarray(2, 10), Buffer.from([(2 << 3) | 2, 6, ...Buffer.from('strata')]));
  assert.ok(head.includes(Buffer.from([(8 << 3) | 2, 2, 2 << 3, 21])));
});

test('what is as long for every text is not cut back', async () => {
  const model = writeTokenModel(
    program((_, ids, mask) => {
      const x = tf.mul(tf.cast(ids, 'float32'), mask);
      return [tf.reshape(tf.sum(ids.shape[1]! < 4 ? tf.neg(x) : x, 1), [ids.shape[0]!, 1, 1])]; // [B, 1, 1]
    }),
  );
  assert.equal(model.shortest, 4);
  assert.deepEqual(await run(model, [1, 2, 3, 4], [2, 2]), [3, 7]);
  assert.ok(!Buffer.from(model.bytes).includes('Slice'));
});

test('texts of one token alone are short where two are enough', async () => {
  const model = writeTokenModel(
    program((_, ids) => {
      const [batch, tokens] = ids.shape as [number, number];
      const x = tf.cast(ids, 'float32');
      const second = tokens < 2 ? tf.zeros([batch, 1]) : tf.slice(x, [0, 1], [batch, 1]);
      return [tf.expandDims(tf.add(x, second), 2)];
    }),
  );
  assert.equal(model.shortest, 2);
  // What fills up is the token of padding, 9.
  assert.deepEqual(await run(model, [1, 2], [2, 1]), [10, 11]);
  assert.deepEqual(await run(model, [1, 2], [1, 2]), [3, 4]);
});

test('transposed products of any rank are written in operators of ONNX alone', async () => {
  const model = writeTokenModel(
    program((_, ids) => {
      const [batch, tokens] = ids.shape as [number, number];
      const x = tf.reshape(tf.cast(ids, 'float32'), [batch, 1, tokens]);
      const squares = tf.matMul(x, x, true, false); // [B, T, T]
      const flat = tf.cast(ids, 'float32');
      const across = tf.matMul(tf.matMul(flat, flat, false, true), flat); // [B, T]
      return [tf.add(tf.matMul(x, squares, false, true), tf.expandDims(across, 1))]; // [B, 1, T]
    }),
  );
  assert.ok(!Buffer.from(model.bytes).includes('FusedMatMul'));
  assert.deepEqual(await run(model, [1, 2], [1, 2]), [10, 20]);
});

test('what depends on T in another way is refused with the place', () => {
  const refused = (build: TokenProgram['build'], message: RegExp, more: Partial<TokenProgram> = {}) =>
    assert.throws(
      () => writeTokenModel(program(build, more)),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'EXPORT_FAILED');
        assert.match(error.message, message);
        return true;
      },
    );
  const column = (ids: tf.Tensor) => tf.expandDims(tf.cast(ids, 'float32'), 2);
  refused((_, ids) => [tf.mul(column(ids), 1 / ids.shape[1]!)], /input 1 of Mul is a constant/);
  refused(
    (_, ids) => [
      tf.add(
        column(ids),
        tf.tensor3d(
          Float32Array.from({ length: ids.shape[1]! }, (_, i) => Math.sin(i)),
          [1, ids.shape[1]!, 1],
        ),
      ),
    ],
    /input 1 of Add is a constant/,
  );
  refused(
    (_, ids) => [ids.shape[0]! > 4 ? tf.neg(column(ids)) : column(ids)],
    /operations for 2 texts of 37 tokens, .* for 5 texts of 39 tokens/,
  );
  refused((_, ids) => [column(ids)], /at most are too few/, { longest: 4 });
});

test('weights of more than two gigabytes, less room for what is no weight, are refused', () => {
  const refusal = (byteLength: number) => {
    const values = { byteLength } as Float32Array;
    const large = program(([table], ids) => [tf.gather(table!, ids)], {
      weights: [{ name: 'table', shape: [2 ** 20, 512], values }],
    });
    try {
      writeTokenModel(large);
    } catch (error) {
      return error as { code?: string; message: string };
    }
    return undefined;
  };
  const most = 2 ** 31 - 2 ** 22;
  const refused = refusal(most + 1);
  assert.equal(refused?.code, 'EXPORT_FAILED');
  assert.match(
    refused!.message,
    new RegExp(`are ${most + 1} bytes, and one ONNX file holds at most ${most}`),
  );
  // One byte less is written, where there are such weights: here there are none to write.
  assert.notEqual(refusal(most)?.code, 'EXPORT_FAILED');
});
