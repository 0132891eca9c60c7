/** Files of an index that are not as they were written: every number of their headers and tables, and what is said of it. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { Terms, writeTerms } from '../harness/index/bm25-terms.js';
import { Identifiers, IdentifierWriter } from '../harness/index/identifiers.js';
import {
  adoptShard,
  IndexShardWriter,
  isWhole,
  readShardFacts,
  shardPaths,
} from '../harness/index/shard-files.js';
import { openIndex } from '../harness/index/vector-index.js';
import { makeIndex, normalRows, temporaryFolder } from './made-index.js';
import { assertClosed } from './open-files.js';

type Change = [what: string, change: (bytes: Buffer) => Buffer | undefined, message: RegExp];

async function assertRefused(
  file: string,
  open: (file: string) => Promise<unknown>,
  changes: readonly Change[],
): Promise<void> {
  const whole = await readFile(file);
  for (const [what, change, message] of changes) {
    const bytes = Buffer.from(whole);
    await writeFile(file, change(bytes) ?? bytes);
    await assert.rejects(open(file), { code: 'CACHE_INVALID', message }, what);
  }
  await writeFile(file, whole);
  await open(file);
  await assertClosed(path.dirname(file));
}
const edit = (write: (bytes: Buffer) => unknown) => (bytes: Buffer) => {
  write(bytes);
  return undefined;
};

test('the dictionary finds every term and no other, and is refused by what is wrong in it', async (t) => {
  const file = path.join(await temporaryFolder(t), 'terms');
  // Not in their order, one before the other's end, of one byte and more.
  const terms = ['b', 'ab', 'a', 'é', 'abc', '中'];
  const offsets = Float64Array.of(0, 4, 4, 9, 2 ** 33, 2 ** 33 + 1, 2 ** 33 + 7);
  await writeTerms(file, terms, Uint32Array.of(1, 2, 3, 4, 5, 6, 99), offsets);
  const opened = await Terms.open(file);
  assert.deepEqual([opened.count, opened.postingsEnd], [6, 2 ** 33 + 7]);
  for (const [i, term] of terms.entries())
    assert.deepEqual(
      opened.find(term),
      { documentFrequency: i + 1, from: offsets[i], to: offsets[i + 1] },
      term,
    );
  for (const absent of ['', 'aa', 'abcd', 'c', 'z', '丮', 'A'])
    assert.equal(opened.find(absent), undefined, absent);
  // 24 bytes of header; places of 16 bytes, frequencies and starts of 4; 12 bytes of text.
  const [places, starts] = [24, 24 + 6 * 16 + 6 * 4];
  await assertRefused(file, Terms.open, [
    ['a byte too few', (bytes) => bytes.subarray(0, -1), /holds 183 bytes where its header says 184/],
    [
      'a byte too many',
      (bytes) => Buffer.concat([bytes, Buffer.of(0)]),
      /holds 185 bytes where its header says 184/,
    ],
    ['no whole header', (bytes) => bytes.subarray(0, 23), /holds 23 bytes and is no dictionary/],
    ['a header alone', (bytes) => bytes.subarray(0, 24), /holds 24 bytes where its header says 184/],
    ['other letters', edit((bytes) => bytes.write('STRN', 0)), /is no dictionary/],
    ['another version', edit((bytes) => bytes.writeUInt32LE(2, 4)), /is no dictionary/],
    ['more terms', edit((bytes) => bytes.writeBigUInt64LE(7n, 8)), /where its header says 208/],
    ['more text', edit((bytes) => bytes.writeBigUInt64LE(13n, 16)), /where its header says 185/],
    [
      'an end elsewhere',
      edit((bytes) => bytes.writeUInt32LE(11, starts + 24)),
      /has terms that end elsewhere/,
    ],
    [
      'a start after its end',
      edit((bytes) => bytes.writeUInt32LE(9, starts)),
      /has the start of term 1 after its end/,
    ],
    [
      'the last start after its end',
      edit((bytes) => bytes.writeUInt32LE(13, starts + 20)),
      /start of term 6 after/,
    ],
    [
      'postings before the file',
      edit((bytes) => bytes.writeDoubleLE(-1, places)),
      /postings of term 1 from byte -1/,
    ],
    [
      'half a byte',
      edit((bytes) => bytes.writeDoubleLE(8.5, places + 8)),
      /postings of term 1 from byte \d+ to 8\.5/,
    ],
    [
      'an end before',
      edit((bytes) => bytes.writeDoubleLE(3, places + 8)),
      /postings of term 1 from byte 4 to 3/,
    ],
    [
      'no number',
      edit((bytes) => bytes.writeDoubleLE(Number.NaN, places + 88)),
      /of term 6 from byte \d+ to NaN/,
    ],
  ]);
});

test('ids are refused by what is wrong in their header and their starts', async (t) => {
  const file = path.join(await temporaryFolder(t), 'identifiers');
  const writer = new IdentifierWriter(file);
  for (const id of ['one', 'two', 'x']) writer.append(id);
  await writer.commit();
  const refused: Change[] = [
    ['other letters', edit((bytes) => bytes.write('SIDT', 0)), /is not a file of passage ids/],
    ['another version', edit((bytes) => bytes.writeUInt32LE(0, 4)), /is not a file of passage ids/],
    ['no whole header', (bytes) => bytes.subarray(0, 23), /is not a file of passage ids/],
    ['fewer ids', edit((bytes) => bytes.writeBigUInt64LE(2n, 8)), /holds 47 bytes where its header says 43/],
    ['less text', edit((bytes) => bytes.writeBigUInt64LE(6n, 16)), /holds 47 bytes where its header says 46/],
    ['a byte too many', (bytes) => Buffer.concat([bytes, Buffer.of(0)]), /holds 48 bytes/],
  ];
  for (const open of [Identifiers.open, Identifiers.count]) await assertRefused(file, open, refused);
  await assertRefused(file, Identifiers.open, [
    [
      'a start after its end',
      edit((bytes) => bytes.writeUInt32LE(7, 28)),
      /has the start of id 2 after its end/,
    ],
    ['the last start', edit((bytes) => bytes.writeUInt32LE(8, 32)), /has the start of id 3 after its end/],
    ['an end before', edit((bytes) => bytes.writeUInt32LE(6, 36)), /has ids that end elsewhere/],
  ]);
  const opened = await Identifiers.open(file);
  assert.deepEqual(
    [0, 1, 2].map((i) => opened.at(i)),
    ['one', 'two', 'x'],
  );
  for (const outside of [-1, 3, Number.NaN]) assert.throws(() => opened.at(outside), RangeError);
});

test('a shard is whole where all of its files are as written; else it is said what is not', async (t) => {
  const folder = await temporaryFolder(t);
  const layout = { number: 1, firstPassage: 4, dimensions: 2, vectorsPerPassage: 'varies' as const };
  const write = async () => {
    const writer = await IndexShardWriter.create(folder, layout);
    await writer.append(Float32Array.of(1, 2, 3, 4, 5, 6), [1, 0, 2]);
    return writer.commit();
  };
  const facts = await write();
  assert.deepEqual(facts, { ...layout, passages: 3, vectors: 3 });
  assert.deepEqual(await readShardFacts(folder, 1), facts);
  const said = async () => {
    const lines: string[] = [];
    return [await isWhole(folder, 1, (line) => lines.push(line)), ...lines];
  };
  assert.deepEqual(await said(), [true]);
  const paths = shardPaths(folder, 1);
  const flip = async (file: string) => {
    const bytes = await readFile(file);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(file, bytes);
  };
  const again = 'The shard is made again.';
  for (const [damage, line] of [
    [() => flip(paths.vectors), `${paths.vectors} holds other bytes than those written. ${again}`],
    [() => flip(paths.offsets), `${paths.offsets} holds other bytes than those written. ${again}`],
    [() => rm(paths.vectors), `${paths.vectors} is missing, or cannot be read. ${again}`],
    [() => rm(paths.offsets), `${paths.offsets} is missing, or cannot be read. ${again}`],
    [() => writeFile(paths.facts, '{"number": 1'), `${paths.facts} is not JSON. ${again}`],
    [() => writeFile(paths.facts, 'null'), `${paths.facts} is not as it was written. ${again}`],
    [
      async () =>
        writeFile(
          paths.facts,
          (await readFile(paths.facts, 'utf8')).replace('"passages": 3', '"passages": 4'),
        ),
      `${paths.facts} is not as it was written. ${again}`,
    ],
  ] as const) {
    await write();
    await damage();
    assert.deepEqual(await said(), [false, line]);
  }
  await rm(paths.facts);
  assert.deepEqual(await said(), [false]);
  assert.equal(await readShardFacts(folder, 1), undefined);
});

test('a shard that is taken over stands where it is wanted, in place of what was there', async (t) => {
  const [from, to] = [await temporaryFolder(t), await temporaryFolder(t)];
  for (const [folder, value] of [
    [from, 1],
    [to, 2],
  ] as const) {
    const layout = { number: 0, firstPassage: 0, dimensions: 1, vectorsPerPassage: 1 };
    const writer = await IndexShardWriter.create(folder, layout);
    await writer.append(Float32Array.of(value, value));
    await writer.commit();
  }
  await writeFile(shardPaths(to, 0).offsets, 'of another');
  await adoptShard(from, to, 0);
  assert.ok(await isWhole(to, 0, (line) => assert.fail(line)));
  await assert.rejects(readFile(shardPaths(to, 0).offsets), { code: 'ENOENT' });
  await adoptShard(from, to, 0, { number: 3, firstPassage: 7 });
  assert.ok(await isWhole(to, 3, (line) => assert.fail(line)));
  assert.deepEqual(await readShardFacts(to, 3), {
    ...{ number: 3, firstPassage: 7, passages: 2, vectors: 2, dimensions: 1, vectorsPerPassage: 1 },
  });
  await rm(shardPaths(from, 0).facts);
  await assert.rejects(adoptShard(from, to, 0, { number: 4, firstPassage: 0 }), {
    code: 'CACHE_INVALID',
    message: `${shardPaths(from, 0).facts} is missing.`,
  });
});

test('an index of which a shard or a table is damaged leaves no file open', async (t) => {
  const folder = await temporaryFolder(t);
  const index = await makeIndex(folder, normalRows(4, 2, 'damage'), [1, 2, 1], 2);
  await index.close();
  for (const part of ['vectors', 'offsets'] as const)
    for (const number of [0, 1]) {
      const file = shardPaths(folder, number)[part];
      const whole = await readFile(file);
      await writeFile(file, whole.subarray(0, -1));
      await assert.rejects(openIndex(folder), { code: 'CACHE_INVALID', message: new RegExp(`^${file} `) });
      await assertClosed(folder);
      await writeFile(file, whole);
    }
});
