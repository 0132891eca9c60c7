/** The texts of a collection by their place: from memory and from the disk, and what is damaged. */
import assert from 'node:assert/strict';
import { rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { PassageTexts, passageTextsBytes, writePassageTexts } from '../harness/index/passage-texts.js';
import { temporaryFolder } from './made-index.js';
import { assertClosed } from './open-files.js';

const texts = ['a', '', 'zwölf Boxkämpfer', '守塔人', ...Array.from({ length: 9000 }, (_, i) => `text ${i}`)];

async function* all() {
  yield* texts;
}

for (const held of [true, false]) {
  test(`every text comes back ${held ? 'from memory' : 'from the disk'}`, async (t) => {
    const folder = await temporaryFolder(t);
    const told: number[] = [];
    const facts = await writePassageTexts(folder, all(), (passages) => told.push(passages));
    assert.deepEqual(facts, { passages: texts.length, bytes: Buffer.byteLength(texts.join('')) });
    assert.deepEqual(told, [4096, 8192]);
    const opened = await PassageTexts.open(folder, passageTextsBytes(facts) - (held ? 0 : 1));
    t.after(() => opened.close());
    assert.equal(opened.resident, held);
    for (const ordinal of [0, 1, 2, 3, 4, 4095, 4096, 8191, 9003])
      assert.equal(await opened.at(ordinal), texts[ordinal]);
    await assert.rejects(opened.at(texts.length), RangeError);
  });
}

test('texts that are longer than any array are read from the disk, whatever memory there is', async (t) => {
  const folder = await temporaryFolder(t);
  const bytes = 2 ** 32 + 5;
  // A hole takes no room on the disk.
  await writeFile(path.join(folder, 'texts.utf8'), 'text');
  await truncate(path.join(folder, 'texts.utf8'), bytes);
  const starts = Float64Array.of(0, 4, bytes - 2, bytes);
  await writeFile(path.join(folder, 'starts.f64'), new Uint8Array(starts.buffer));
  const opened = await PassageTexts.open(folder, 2 ** 40);
  t.after(() => opened.close());
  assert.equal(opened.resident, false);
  assert.equal(await opened.at(0), 'text');
  assert.equal(await opened.at(2), '\0\0');
});

test('a collection without passages has no texts', async (t) => {
  const folder = await temporaryFolder(t);
  const none = (async function* () {})();
  assert.deepEqual(await writePassageTexts(folder, none), { passages: 0, bytes: 0 });
  const opened = await PassageTexts.open(folder, 1 << 20);
  await opened.close();
});

test('where one file is missing the other does not stay open', async (t) => {
  for (const missing of ['texts.utf8', 'starts.f64']) {
    const folder = await temporaryFolder(t);
    await writePassageTexts(folder, all());
    await rm(path.join(folder, missing));
    await assert.rejects(PassageTexts.open(folder, 0), { code: 'CACHE_INVALID', message: /is missing/ });
    await assertClosed(folder);
  }
});

test('files that do not fit together are refused', async (t) => {
  const folder = await temporaryFolder(t);
  await writePassageTexts(folder, all());
  await truncate(path.join(folder, 'texts.utf8'), 20);
  await assert.rejects(PassageTexts.open(folder, 1 << 20), {
    code: 'CACHE_INVALID',
    message: /holds 20 bytes/,
  });
  await writeFile(path.join(folder, 'starts.f64'), new Uint8Array(9));
  await assert.rejects(PassageTexts.open(folder, 1 << 20), {
    code: 'CACHE_INVALID',
    message: /not 8 for each/,
  });
  await assert.rejects(PassageTexts.open(path.join(folder, 'nowhere'), 1), { code: 'CACHE_INVALID' });
});
