/** Dropout masks: which values drop, how many, and by which stream. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';
import { dropoutMasks, packedMasks } from '../harness/train/dropout-masks.js';
import { maskFeeds } from '../harness/train/mask-feeds.js';
import { MaskThreads } from '../harness/train/mask-threads.js';
import { withoutWebGpu } from './webgpu-driver.js';

/** The places of the first so many texts of a batch. */
const upTo = (count: number) => Int32Array.from({ length: count }, (_, i) => i);

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
  const places = Int32Array.of(5, 9, 2);
  const masks = dropoutMasks({ sites, seed: 7, step: 11, side: 'passage', places });
  for (const [text, place] of places.entries()) {
    const random = stream(7, 'dropout', 11, 'passage', place);
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
    const sites = [{ shape: [10, count / 10], rate }];
    const [mask] = dropoutMasks({ sites, seed: 1, step: 1, side: 'query', places: upTo(10) });
    const dropped = count - mask!.reduce((sum, value) => sum + value, 0);
    // Five standard deviations of a binomial count.
    const limit = 5 * Math.sqrt(count * rate * (1 - rate));
    assert.ok(Math.abs(dropped - rate * count) < limit, `${dropped} of ${count}`);
  });
}

test('another seed, step, side or text has another mask, and a part of a batch its part of the whole', () => {
  const mask = (seed: number, step: number, side: 'query' | 'passage', first: number, texts = 1) =>
    dropoutMasks({
      ...{ sites: [{ shape: [texts, 400], rate: 0.1 }], seed, step, side },
      places: upTo(texts).map((text) => first + text),
    })[0]!;
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

test('a mask that is cut to fewer tokens is what the whole one has there, packed and in threads too', async () => {
  const heads = 2;
  const sitesOf = (tokens: number) => [
    { shape: [3, tokens, 8], rate: 0.1 },
    { shape: [3, heads, tokens, tokens], rate: 0.5 },
    { shape: [3, tokens, 8], rate: 0.3 },
  ];
  const [whole, part] = [9, 4];
  const asked = { seed: 7, step: 11, side: 'passage' as const, places: Int32Array.of(5, 9, 2) };
  const all = dropoutMasks({ ...asked, sites: sitesOf(whole) });
  const cut = { ...asked, sites: sitesOf(part), drawnFor: sitesOf(whole) };
  const expected = all.map((mask, s) => {
    const { shape } = sitesOf(whole)[s]!;
    // The place of a value in each axis, the last one first.
    const kept = mask.filter((_, i) => {
      const last = i % shape.at(-1)!;
      const before = Math.floor(i / shape.at(-1)!) % shape.at(-2)!;
      return before < part && (shape.length === 3 || last < part);
    });
    assert.ok(kept.includes(0) && kept.includes(1));
    return kept;
  });
  assert.deepEqual(dropoutMasks(cut), expected);
  const words = packedMasks(cut);
  for (const [s, mask] of expected.entries()) {
    const perText = mask.length / 3;
    const wordsOfText = Math.ceil(perText / 30);
    assert.equal(words[s]!.length, 3 * wordsOfText);
    const flags = mask.map((_, i) => {
      const [text, at] = [Math.floor(i / perText), i % perText];
      return (words[s]![text * wordsOfText + Math.floor(at / 30)]! >> (at % 30)) & 1;
    });
    assert.deepEqual(flags, mask, `site ${s}`);
  }
  // As many values as start threads.
  const many = {
    ...asked,
    sites: [{ shape: [3, 2, 800, 800], rate: 0.1 }],
    drawnFor: [{ shape: [3, 2, 1000, 1000], rate: 0.1 }],
  };
  const threads = new MaskThreads(3);
  assert.deepEqual(await threads.draw([many])[0], packedMasks(many));
  assert.equal(threads.started, 2);
  await threads.end();
});

const noWebGpu = await withoutWebGpu();
for (const device of ['cpu', 'webgpu'] as const) {
  test(`masks that travel packed are the same ones, scaled, unpacked on ${device}`, {
    skip: device === 'webgpu' && noWebGpu,
  }, async () => {
    // No size but that of the third site is a multiple of the 30 values of a word.
    const sites = [
      { shape: [3, 7, 23], rate: 0.1 },
      { shape: [3, 2, 5, 5], rate: 0.5 },
      { shape: [3, 4, 15], rate: 0.1 },
      { shape: [3, 31], rate: 0 },
      { shape: [3, 29], rate: 0.5 },
    ];
    const engine = await openEngine('onnx', { threads: 1, device });
    const feeds = maskFeeds({ largestArrayBytes: 2 ** 27, threads: 1 });
    const program = await engine.compile(
      (words) => feeds.keep(words, sites)!.map((mask) => tf.mul(mask, 1)),
      feeds.specs(sites),
    );
    const draws = [
      [0, 1, 2],
      [3, 8, 4],
    ].map((places) => ({
      ...{ sites, seed: 7, step: 1, side: 'query' as const, places: Int32Array.from(places) },
    }));
    const masks = feeds.ofStep(draws);
    for (const [i, draw] of draws.entries()) {
      const words = await masks[i]!();
      for (const each of words) assert.ok(each.every((word) => word >= 0));
      const found = await program.run(words);
      for (const [s, bytes] of dropoutMasks(draw).entries()) {
        const scale = Math.fround(1 / (1 - sites[s]!.rate));
        assert.deepEqual(
          found[s],
          Float32Array.from(bytes, (byte) => byte * scale),
          `site ${s}`,
        );
      }
    }
    await program.dispose();
    await engine.dispose();
  });
}

test('packed masks are drawn once a step, but for those that are too many to keep', async (t) => {
  const draws = ([1, 2, 4, 1] as const).map((texts, i) => ({
    ...{ sites: [{ shape: [texts, 31], rate: 0.1 }], seed: 7, step: 1, side: 'query' as const },
    places: upTo(texts).map((text) => 4 * i + text),
  }));
  // A text takes two words, of 4 bytes each; and a sixteenth of the machine is kept.
  t.mock.method(process, 'constrainedMemory', () => 16 * 8 * 3);
  const feeds = maskFeeds({ largestArrayBytes: 2 ** 27, threads: 1 });
  for (const [i, give] of feeds.ofStep(draws).entries()) {
    const [words, again] = [await give(), await give()];
    assert.deepEqual(words, packedMasks(draws[i]!));
    assert.deepEqual(again, words);
    assert.equal(again === words, i < 2, `draw ${i}`);
  }
});

test('elsewhere they are fed as bytes', async () => {
  const sites = [{ shape: [2, 31], rate: 0.1 }];
  const feeds = maskFeeds({ threads: 1 });
  const draw = { sites, seed: 7, step: 1, side: 'query' as const, places: upTo(2) };
  assert.deepEqual(feeds.specs(sites), [{ shape: [2, 31], dtype: 'bool' }]);
  assert.deepEqual(await feeds.ofStep([draw])[0]!(), dropoutMasks(draw));
});

test('threads draw the same masks, however many they are, and one that dies is an error', async () => {
  // 5 texts are no multiple of any number of threads, and a million values each are enough to start them.
  const sites = [
    { shape: [5, 1000, 1000], rate: 0.1 },
    { shape: [5, 77], rate: 0.5 },
  ];
  const draw = { sites, seed: 7, step: 1, side: 'passage' as const, places: Int32Array.of(3, 4, 9, 1, 7) };
  const expected = packedMasks(draw);
  // Beside this one, and no more than there are parts: one of 3 texts and one of 2.
  for (const [threads, started] of [
    [1, 1],
    [2, 1],
    [3, 2],
    [8, 2],
  ] as const) {
    const drawing = new MaskThreads(threads);
    assert.deepEqual(await drawing.draw([draw])[0], expected, `${threads} threads`);
    assert.equal(drawing.started, started);
    await drawing.end();
    await assert.rejects(drawing.draw([draw])[0]!, /a thread that draws dropout masks ended with 1/);
  }
  const dying = new MaskThreads(1);
  const endless = { ...draw, sites: [{ shape: [1, 2 ** 40], rate: 0.1 }], places: upTo(1) };
  await assert.rejects(dying.draw([endless])[0]!, { name: 'RangeError', message: /typed array length/ });
  await assert.rejects(dying.draw([draw])[0]!, { name: 'RangeError' });
  await dying.end();
  // All of them share a chunk, text by text.
  const chunk = { ...draw, sites: [{ shape: [4, 2 ** 22], rate: 0.1 }], places: upTo(4) };
  const sharing = new MaskThreads(5);
  assert.deepEqual(await sharing.draw([chunk])[0], packedMasks(chunk));
  assert.equal(sharing.started, 4);
  await sharing.end();
  assert.deepEqual(
    [1, 2, 4, 16, 17, 32].map((threads) => new MaskThreads(threads).most),
    [1, 1, 3, 15, 16, 16],
  );
  const few = { ...draw, sites: [sites[1]!] };
  const idle = new MaskThreads(2);
  assert.deepEqual(await idle.draw([few])[0], packedMasks(few));
  assert.equal(idle.started, 0);
  await idle.end();
});
