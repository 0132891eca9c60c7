/** Dropout masks: which values drop, how many, and by which stream. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { dropoutMasks } from '../harness/train/dropout-masks.js';

/** How many values stay before the next that drops: a geometric number, by inversion, without any table. */
const slowGap = (bits: number, rate: number) =>
  Math.floor(Math.log((bits + 0.5) / 2 ** 32) / Math.log1p(-rate));

test('a mask is drawn text by text, site after site, by inversion', () => {
  const sites = [
    { shape: [3, 50, 8], rate: 0.1 },
    { shape: [3, 2, 9, 9], rate: 0.5 },
    { shape: [3, 40], rate: 0 },
    { shape: [3, 700], rate: 0.02 },
  ];
  const masks = dropoutMasks(sites, 7, 11, 'passage', 5);
  for (let text = 0; text < 3; text++) {
    const random = stream(7, 'dropout', 11, 'passage', 5 + text);
    for (const [s, { shape, rate }] of sites.entries()) {
      const size = shape.slice(1).reduce((product, length) => product * length, 1);
      const expected = new Uint8Array(size).fill(1);
      let at = rate === 0 ? size : slowGap(random.bits(), rate);
      while (at < size) {
        expected[at] = 0;
        at += 1 + slowGap(random.bits(), rate);
      }
      assert.deepEqual(masks[s]!.slice(text * size, (text + 1) * size), expected, `site ${s}, text ${text}`);
    }
  }
});

for (const rate of [0.1, 0.3]) {
  test(`of very many values ${100 * rate} % drop`, () => {
    const count = 1_000_000;
    const [mask] = dropoutMasks([{ shape: [10, count / 10], rate }], 1, 1, 'query', 0);
    const dropped = count - mask!.reduce((sum, value) => sum + value, 0);
    // Five standard deviations of a binomial count.
    const limit = 5 * Math.sqrt(count * rate * (1 - rate));
    assert.ok(Math.abs(dropped - rate * count) < limit, `${dropped} of ${count}`);
  });
}

test('another seed, step, side or text has another mask, and a part of a batch its part of the whole', () => {
  const mask = (seed: number, step: number, side: 'query' | 'passage', first: number, texts = 1) =>
    dropoutMasks([{ shape: [texts, 400], rate: 0.1 }], seed, step, side, first)[0]!;
  const masks = [
    mask(1, 1, 'query', 0),
    mask(2, 1, 'query', 0),
    mask(1, 2, 'query', 0),
    mask(1, 1, 'passage', 0),
    mask(1, 1, 'query', 1),
  ];
  assert.equal(new Set(masks.map((each) => each.join(''))).size, masks.length);
  const whole = mask(1, 1, 'query', 0, 4);
  assert.deepEqual(mask(1, 1, 'query', 1, 2), whole.slice(400, 1200));
});
