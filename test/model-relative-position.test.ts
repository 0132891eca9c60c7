/** T5's buckets of distances for any numbers, odd ones too, against transformers' rule written out. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { relativeBuckets } from '../harness/model/relative-position.js';
import { openEngine } from '../harness/tensor/engines.js';

const engine = await openEngine('onnx');
after(() => engine.dispose());

/** transformers' T5Attention._relative_position_bucket, bidirectional. */
function bucketOf(relative: number, all: number, maxDistance: number): number {
  const buckets = Math.floor(all / 2);
  const distance = Math.abs(relative);
  const exact = Math.floor(buckets / 2);
  const wide =
    exact + Math.trunc((Math.log(distance / exact) / Math.log(maxDistance / exact)) * (buckets - exact));
  return (relative > 0 ? buckets : 0) + (distance < exact ? distance : Math.min(wide, buckets - 1));
}

test('buckets of every pair of positions', async () => {
  const tokens = 45;
  for (const [buckets, maxDistance] of [
    [32, 128],
    [7, 20],
    [9, 30],
    [10, 12],
    [6, 40],
  ] as const) {
    const program = await engine.compile(() => [relativeBuckets(tokens, buckets, maxDistance)], []);
    const [found] = await program.run([]);
    await program.dispose();
    const expected = Int32Array.from({ length: tokens * tokens }, (_, at) =>
      bucketOf((at % tokens) - Math.floor(at / tokens), buckets, maxDistance),
    );
    assert.deepEqual(found, expected, `${buckets} buckets up to ${maxDistance}`);
  }
});
