/** Indexes of impacts that are not as they were written, and weights that are none: what is said of them. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { impactPaths, openImpactIndex } from '../harness/index/impact-index.js';
import { writeImpactIndex } from '../harness/index/impact-writer.js';
import { ImpactSearcher } from '../harness/search/impacts.js';
import { madeWeights, shardsOf, tokens } from './made-impacts.js';
import { temporaryFolder } from './made-index.js';
import { assertClosed } from './open-files.js';

test('a weight that is none, and a token that there is not, are refused with where they lie', async (t) => {
  for (const [token, weight] of [
    [60, 1],
    [-1, 1],
    [1.5, 1],
    [3, 0],
    [3, -1],
  ] as const) {
    const folder = await temporaryFolder(t);
    const weights = await shardsOf(path.join(folder, 'shards'), [[[1, 1]], [[token, weight]]], 1);
    const target = path.join(folder, 'index');
    await mkdir(target);
    await assert.rejects(writeImpactIndex({ weights, tokens, folder: target }), {
      code: 'CACHE_INVALID',
      message: `${weights.folder} has the weight ${weight} for token ${token} of 60.`,
    });
    await weights.close();
  }
});

test('a file that does not hold what the others say is named', async (t) => {
  const folder = await temporaryFolder(t);
  const weights = await shardsOf(path.join(folder, 'shards'), madeWeights(50, 'damage'));
  await mkdir(path.join(folder, 'index'));
  await writeImpactIndex({ weights, tokens, folder: path.join(folder, 'index') });
  await weights.close();
  const paths = impactPaths(path.join(folder, 'index'));
  const search = async () => {
    const index = await openImpactIndex(path.join(folder, 'index'), 1e9);
    try {
      await new ImpactSearcher(index).search({ pairs: Float32Array.of(5, 1), counts: Int32Array.of(1) }, 10);
    } finally {
      await index.close();
    }
  };
  await search();
  // Token 5 is in 44 passages; its list begins where the lists of 1 to 4 end.
  const table = await readFile(paths.tokens);
  const before = [1, 2, 3, 4].reduce((sum, token) => sum + table.readUInt32LE(12 + 4 * (tokens + token)), 0);
  const firstWeight = [1, 2, 3, 4].reduce((sum, token) => sum + table.readUInt32LE(12 + 4 * token), 0);
  const changes: [file: keyof typeof paths, change: (bytes: Buffer) => Buffer, message: RegExp][] = [
    ['tokens', (bytes) => bytes.subarray(4), /tokens holds 488 bytes, and index\.json says 60 tokens/],
    ['tokens', (bytes) => Buffer.from(bytes.with(0, 65)), /tokens is no table of these tokens/],
    ['tokens', (bytes) => Buffer.from(bytes.with(4, 2)), /tokens is no table of these tokens/],
    ['tokens', (bytes) => Buffer.from(bytes.with(8, 61)), /tokens is no table of these tokens/],
    [
      'tokens',
      (bytes) => Buffer.from(bytes.with(32, 45)),
      /index\.json says postings: \d+, and the tokens come to \d+/,
    ],
    [
      'tokens',
      (bytes) => Buffer.from(bytes.with(12 + 4 * tokens + 20, 45)),
      /gaps holds \d+ bytes, and the tokens come to \d+/,
    ],
    ['gaps', (bytes) => bytes.subarray(1), /gaps holds \d+ bytes, and the tokens come to \d+/],
    ['weights', (bytes) => bytes.subarray(4), /weights holds \d+ bytes, and the tokens come to \d+/],
    [
      'gaps',
      (bytes) => Buffer.from(bytes.with(before, 0)),
      /has a list of a token that does not hold what its table says/,
    ],
    ['gaps', (bytes) => Buffer.from(bytes.with(before, 120)), /has a list of a token that does not hold/],
    ['gaps', (bytes) => Buffer.from(bytes.with(before, 129)), /has a list of a token that does not hold/],
    [
      'weights',
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, 4 * firstWeight),
          Buffer.alloc(4),
          bytes.subarray(4 * firstWeight + 4),
        ]),
      /has a list of a token that does not hold/,
    ],
    ['facts', () => Buffer.from('{'), /index\.json is not JSON/],
    ['facts', () => Buffer.from('{"format":"bm25 1"}'), /describes no index of impacts/],
    ['facts', (bytes) => Buffer.from(String(bytes).replace('"empty": ', '"empty": -')), /says empty: -/],
  ];
  for (const [file, change, message] of changes) {
    const bytes = await readFile(paths[file]);
    await writeFile(paths[file], change(bytes));
    await assert.rejects(search(), { code: 'CACHE_INVALID', message }, `${file} ${message}`);
    await writeFile(paths[file], bytes);
    await assertClosed(folder);
  }
  await search();
  await assert.rejects(openImpactIndex(folder, 1), { code: 'PATH_INVALID' });
});
