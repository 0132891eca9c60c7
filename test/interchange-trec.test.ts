/** TREC files in and out: what is tolerated, and what is refused at which line. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Run } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { readRun, writeRun } from '../harness/interchange/trec.js';
import { hashFile } from '../harness/store/hash.js';
import { writtenFiles } from './written-files.js';

const { folder, fileOf } = writtenFiles('strata-trec-');

const runText = 'q1 Q0 a 1 2.5 sys\nq2 Q0 b 1 -1e-3 sys\nq1 Q0 c 2 .5 sys\n';
const expectedRun = {
  q1: { passageIds: ['a', 'c'], scores: [2.5, 0.5], ranks: [1, 2] },
  q2: { passageIds: ['b'], scores: [-0.001], ranks: [1] },
};

async function assertRun(content: string | Uint8Array) {
  const { run, tag, hitCount } = await readRun(fileOf(content));
  const rankings = [...run].map(([queryId, { passageIds, scores, ranks }]) => [
    queryId,
    { passageIds, scores, ...(ranks === undefined ? {} : { ranks }) },
  ]);
  assert.deepEqual(Object.fromEntries(rankings), expectedRun);
  assert.equal(tag, 'sys');
  assert.equal(hitCount, 3);
}

const tolerated: Record<string, string | Uint8Array> = {
  'as it should be': runText,
  'no newline at the end': runText.trimEnd(),
  'carriage returns': runText.replaceAll('\n', '\r\n'),
  'a byte order mark': `\ufeff${runText}`,
  'tabs and runs of spaces': runText.replaceAll(' ', ' \t  '),
  'blank lines, comments, spaces around': `# made by hand\n\n  ${runText.replaceAll('\n', '  \n\n')}`,
  'words after the tag': runText.replaceAll(
    'sys',
    'sys and more words than columns are counted, 1 or 17 of them all',
  ),
  'words after the tag, where tabs cut': runText.replaceAll(' ', '\t').replaceAll('sys', 'sys and more'),
  gzip: gzipSync(runText),
  'gzip of several members': Buffer.concat([gzipSync(runText.slice(0, 30)), gzipSync(runText.slice(30))]),
  'gzip with a byte order mark': gzipSync(`\ufeff${runText}`),
};

for (const [what, content] of Object.entries(tolerated)) {
  test(`a run is read: ${what}`, () => assertRun(content));
}

test("tevatron's three columns are a run without ranks", async () => {
  const { run, tag } = await readRun(fileOf('q1\ta\t2.5\nq1\tb\t7\n'));
  assert.deepEqual(run.get('q1')!.passageIds, ['a', 'b']);
  assert.deepEqual(run.get('q1')!.scores, [2.5, 7]);
  assert.equal(run.get('q1')!.ranks, undefined);
  assert.equal(tag, undefined);
});

test('a query whose ranks are no numbers has none; the ranks of others stay', async () => {
  const { run, hitCount } = await readRun(
    fileOf('q1 Q0 a - 2 s\nq2 Q0 a 1 5 s\nq1 Q0 b 2 1 s\nq1 Q0 c x 3 s\n'),
  );
  assert.equal(hitCount, 4);
  assert.deepEqual([run.get('q1')!.ranks, run.get('q2')!.ranks], [undefined, [1]]);
  assert.deepEqual(run.get('q1')!.scores, [2, 1, 3]);
});

const good = 'q1 Q0 a 1 2.5 sys\n';
const badRuns: Record<string, [string | Uint8Array, RegExp]> = {
  'five columns': [`${good}q1 Q0 b 2 1.5\n`, /line 2: 5 columns/],
  'four columns in the first line': ['q1 a 1 2.5\n', /line 1: 4 columns/],
  'a seventh column, which a blank in an id makes': [
    `${good}q1 Q0 Page 8 1 0.9 s\n`,
    /line 2: more than six columns, where '1 0.9' could be rank and score/,
  ],
  'a blank in an id that ends in numbers': [
    `${good}q1 Q0 A 5 7 B 1 0.9 s\n`,
    /line 2: more than six columns, where '1 0.9'/,
  ],
  'blanks in a tag that look like it': [`${good}q1 Q0 b 2 1 run 8 9\n`, /line 2: .* '8 9' could be/],
  'a blank in an id between tabs, in six columns of which only three are meant': [
    'q1\tPage 8 of 9\t0.9\n',
    /line 1: 'Page 8 of 9' between two tabs holds white space/,
  ],
  'three columns after six': [`${good}q1 b 1\n`, /line 2: 3 columns/],
  'six columns after three': [`q1 a 1\n${good}`, /line 2: 6 columns/],
  'a word for a score': [`\n${good}q1 Q0 b 2 high sys\n`, /line 3: score 'high' is not a number/],
  'NaN for a score': [`${good}q1 Q0 b 2 NaN sys\n`, /line 2: score 'NaN'/],
  'infinity for a score': [`${good}q1 Q0 b 2 -Infinity sys\n`, /line 2: score '-Infinity'/],
  'a score beyond all numbers': [`${good}q1 Q0 b 2 1e999 sys\n`, /line 2: score '1e999'/],
  'hexadecimal for a score': [`${good}q1 Q0 b 2 0x10 sys\n`, /line 2: score '0x10'/],
  'a comma in a score': [`${good}q1 Q0 b 2 1,5 sys\n`, /line 2: score '1,5'/],
  'a passage twice for a query': [
    `${good}q2 Q0 a 1 2.5 sys\nq1 Q0 b 2 1 sys\nq1 Q0 a 3 0 sys\n`,
    /line 4: passage 'a' again for its query, after line 1/,
  ],
  'a NUL byte': [`${good}q1 Q0 b\0 2 1 sys\n`, /line 2: a NUL byte/],
  'UTF-16': [Buffer.from(`\ufeff${good}`, 'utf16le'), /line 1: a NUL byte/],
  'invalid UTF-8': [
    Buffer.concat([Buffer.from(good + good), Buffer.from([0x71, 0xe9, 0x0a])]),
    /line 3: not valid UTF-8/,
  ],
  nothing: ['', /no hits/],
  'only blank lines': ['\n \n', /no hits/],
  'a gzip file cut short': [gzipSync(good.repeat(50)).subarray(0, 40), /damaged gzip file/],
  'a gzip file with a flipped byte': [flipped(gzipSync(good)), /damaged gzip file/],
};

function flipped(bytes: Buffer): Buffer {
  bytes[bytes.length - 6]! ^= 1;
  return bytes;
}

for (const [what, [content, message]] of Object.entries(badRuns)) {
  test(`a run is refused: ${what}`, async () => {
    const file = fileOf(content);
    await assert.rejects(readRun(file), (error) => {
      assert.ok(error instanceof BenchError, String(error));
      assert.equal(error.code, 'RECORD_INVALID');
      assert.match(error.message, message);
      assert.ok(error.message.includes(file));
      return true;
    });
  });
}

test('line numbers hold beyond the first block of a large file', async () => {
  const lines = Array.from({ length: 120_000 }, (_, i) => `query-${i % 7} Q0 passage-${i} ${i} ${-i} tag\n`);
  const { run, hitCount } = await readRun(fileOf(lines.join('')));
  assert.equal(hitCount, lines.length);
  assert.equal(run.size, 7);
  assert.equal(run.get('query-3')!.passageIds[1000], 'passage-7003');
  lines[100_000] = 'query-1 Q0 b 2 ? tag\n';
  await assert.rejects(readRun(fileOf(lines.join(''))), /line 100001: score '\?'/);
  lines[100_000] = 'query-6 Q0 passage-6 2 0 tag\n';
  await assert.rejects(readRun(fileOf(lines.join(''))), /line 100001: passage 'passage-6'.*after line 7/);
  await assert.rejects(readRun(fileOf(gzipSync(lines.join('')))), /line 100001/);
});

test('what cannot be opened is said to be so', async () => {
  await assert.rejects(readRun(path.join(folder, 'absent')), { code: 'PATH_INVALID' });
  mkdirSync(path.join(folder, 'sub'));
  await assert.rejects(readRun(path.join(folder, 'sub')), { code: 'PATH_INVALID' });
});

const run: Run = new Map([
  ['q1', { passageIds: ['b', 'a'], scores: Float32Array.from([0.1, 1 / 3]) }],
  ['q2', { passageIds: ['Æ🙂'], scores: [-1.5e-7] }],
]);

test('a run written and read again has the same ids, ranks and scores to the last bit', async () => {
  for (const name of ['out.run', 'out.run.gz']) {
    const file = path.join(folder, name);
    const described = await writeRun(file, run, 'mlr-sc');
    const bytes = readFileSync(file);
    const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    assert.equal(text.split('\n')[0], 'q1 Q0 b 1 0.10000000149011612 mlr-sc');
    assert.deepEqual(described, { name, sizeBytes: bytes.length, sha256: await hashFile(file) });
    const back = await readRun(file);
    assert.equal(back.tag, 'mlr-sc');
    for (const [queryId, { passageIds, scores }] of run) {
      const read = back.run.get(queryId)!;
      assert.deepEqual(read.passageIds, passageIds);
      assert.deepEqual(read.scores, Array.from(scores!));
      assert.deepEqual(
        read.ranks,
        passageIds.map((_, i) => i + 1),
      );
    }
  }
});

test('the same run gives the same bytes, packed too', async () => {
  const files = ['one.run.gz', 'two.run.gz'].map((name) => path.join(folder, name));
  for (const file of files) await writeRun(file, run, 'tag');
  assert.deepEqual(readFileSync(files[0]!), readFileSync(files[1]!));
});

test('what the format cannot hold is refused and leaves no file', async () => {
  const target = path.join(folder, 'refused');
  const one = (queryId: string, passageId: string, score: number): Run =>
    new Map([[queryId, { passageIds: [passageId], scores: [score] }]]);
  for (const bad of [
    one('q 1', 'a', 1),
    one('q', 'a\tb', 1),
    one('', 'a', 1),
    one('#q', 'a', 1),
    one('q', 'a', Number.NaN),
  ]) {
    await assert.rejects(writeRun(target, bad, 'tag'), { code: 'DATA_INVALID' });
  }
  await assert.rejects(writeRun(target, run, 'two words'), { code: 'DATA_INVALID' });
  await assert.rejects(writeRun(target, new Map([['q', { passageIds: ['a'] }]]), 'tag'), {
    code: 'DATA_INVALID',
  });
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('refused')),
    [],
  );
});
