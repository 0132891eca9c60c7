/** Qrels in and out: TREC's four columns, BEIR's three. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Qrels } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { readQrels, writeQrels } from '../harness/interchange/qrels.js';
import { writtenFiles } from './written-files.js';

const { folder, fileOf } = writtenFiles('strata-qrels-');

const plain = (qrels: Qrels) =>
  Object.fromEntries([...qrels].map(([queryId, each]) => [queryId, Object.fromEntries(each)]));

const judged = { q1: { a: 1, b: 0 }, q2: { a: -1 } };
const qrelTexts: Record<string, string> = {
  "TREC's four columns": 'q1 0 a 1\nq1 0 b 0\nq2 0 a -1\n',
  'four columns, mixed queries': 'q1\tQ0\ta\t1\r\nq2\tQ0\ta\t-1\r\nq1\tQ0\tb\t0',
  "BEIR's three columns": 'query-id\tcorpus-id\tscore\nq1\ta\t1\nq1\tb\t0\nq2\ta\t-1\n',
  'grades written as fractions': 'q1 0 a 1.0\nq1 0 b 0.00\nq2 0 a -1.\n',
  "BEIR's without the header": 'q1\ta\t1\nq1\tb\t0\nq2\ta\t-1\n',
};

for (const [what, text] of Object.entries(qrelTexts)) {
  test(`qrels are read: ${what}`, async () => {
    assert.deepEqual(plain(await readQrels(fileOf(text))), judged);
    assert.deepEqual(plain(await readQrels(fileOf(gzipSync(text)))), judged);
  });
}

const badQrels: Record<string, [string, RegExp]> = {
  'two columns': ['q1 a\n', /line 1: 2 columns/],
  'five columns': ['q1 0 a 1\nq1 0 a 1 x\n', /line 2: 5 columns/],
  'three after four': ['q1 0 a 1\nq1 b 1\n', /line 2: 3 columns/],
  'a relevance that is no whole number': ['q1 0 a 1\nq1 0 b 1.5\n', /line 2: relevance '1.5'/],
  'a relevance beyond what numbers can tell apart': ['q1 0 a 9007199254740993\n', /line 1: relevance '9007/],
  'a relevance beyond all numbers': [`q1 0 a ${'9'.repeat(400)}.0\n`, /line 1: relevance '9{80}' is not/],
  'a blank in an id between tabs': ['q1\tPage 8\t1\n', /line 1: 'Page 8' between two tabs/],
  'a passage judged twice': [
    'q1 0 a 1\nq2 0 a 1\nq1 0 a 0\n',
    /line 3: passage 'a' is judged twice for query 'q1'/,
  ],
  'a header of another kind': ['qid did rel\nq1 a 1\n', /line 1: relevance 'rel'/],
  'only a header': ['query-id\tcorpus-id\tscore\n', /no qrels/],
};

for (const [what, [text, message]] of Object.entries(badQrels)) {
  test(`qrels are refused: ${what}`, async () => {
    await assert.rejects(readQrels(fileOf(text)), (error) => {
      assert.ok(error instanceof BenchError, String(error));
      assert.equal(error.code, 'DATA_INVALID');
      assert.match(error.message, message);
      return true;
    });
  });
}

test('qrels written and read again are the same', async () => {
  const file = path.join(folder, 'qrels.gz');
  await writeQrels(file, await readQrels(fileOf(qrelTexts["TREC's four columns"]!)));
  assert.deepEqual(plain(await readQrels(file)), judged);
  assert.equal(gunzipSync(readFileSync(file)).toString(), qrelTexts["TREC's four columns"]);
});

test('what the format cannot hold is refused and leaves no file', async () => {
  const target = path.join(folder, 'refused');
  await assert.rejects(writeQrels(target, new Map([['q', new Map([['a b', 1]])]])), { code: 'DATA_INVALID' });
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('refused')),
    [],
  );
});
