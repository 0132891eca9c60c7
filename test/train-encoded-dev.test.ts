/** The passages of dev as vectors: where those of each example stand, copies and padding among them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VectorEncoder } from '../harness/model/vector-encoder.js';
import { encodePassages, paddingOf } from '../harness/train/encoded-dev.js';
import { madeExamples } from './made-training.js';
import { engine, validationOf } from './made-validation.js';

const [a, b, c, d] = madeExamples(4, 9).map(({ positive }) => positive);
const short = Int32Array.of(2, 3);
/** The second has a copy of the first's positive, the last passage is new, and one has no negatives. */
const lists = [[a!, b!, short], [c!, a!], [short], [b!, d!]];

test('padding brings each example of a batch to as many passages as the one that has most', () => {
  const counts = (size: number) => paddingOf(lists, size, 16).map(({ passages }) => passages);
  assert.deepEqual(counts(2), [0, 1, 1, 0]);
  assert.deepEqual(counts(3), [0, 1, 2, 0]);
  assert.deepEqual(counts(8), [0, 1, 2, 1]);
  // As long as the longest passage of the batch, in steps of 8 tokens; no longer than a passage may be.
  const long = new Int32Array(13).fill(7);
  assert.deepEqual(
    paddingOf([[short], [short], [long], [a!, short]], 2, 16).map(({ tokens }) => tokens),
    [8, 8, 16, 16],
  );
  assert.equal(paddingOf([[long]], 1, 14)[0]!.tokens, 14);
});

for (const maskShort of [false, true]) {
  test(`each passage has the vectors it has alone, with ${maskShort ? 'fewer' : 'as many'} of a short one`, async () => {
    const options = { vectors: 4, maskShort };
    const { retriever, parameters, validation } = await validationOf({
      name: 'me-bert',
      options,
      examples: [],
    });
    const encoder = new VectorEncoder({
      ...{
        engine,
        retriever,
        weights: parameters.variables,
        side: 'passage',
        maxTokens: 16,
        batchTokens: 64,
      },
    });
    const padding = paddingOf(lists, 2, 16);
    for (const added of [padding, []]) {
      const made = await encodePassages(encoder, lists, added);
      const passages = lists.flatMap((list, i) => [
        ...list.map((passage) => ({ passage, tokens: 1 })),
        ...Array.from({ length: added[i]?.passages ?? 0 }, () => ({
          passage: new Int32Array(0),
          tokens: added[i]!.tokens,
        })),
      ]);
      assert.equal(made.padding, passages.length - 8);
      assert.equal(made.rowStarts.length, passages.length + 1);
      let row = 0;
      for (const [p, { passage, tokens }] of passages.entries()) {
        const alone = await encoder.encode([passage], undefined, tokens);
        assert.equal(made.rowStarts[p], row);
        row += alone.counts[0]!;
        assert.equal(made.rowStarts[p + 1], row, `passage ${p}`);
        for (const [i, value] of alone.vectors.entries()) {
          const at = made.rowStarts[p]! * retriever.encoder.shape.dimensions + i;
          assert.ok(Math.abs(made.rows[at]! - value) < 1e-5, `passage ${p}, number ${i}`);
        }
      }
      assert.equal(made.rows.length, row * retriever.encoder.shape.dimensions);
      const starts = [0];
      for (const [i, list] of lists.entries())
        starts.push(starts[i]! + list.length + (added[i]?.passages ?? 0));
      assert.deepEqual([...made.passageStarts], starts);
    }
    await Promise.all([encoder.dispose(), validation.dispose()]);
  });
}
