/** A teacher's scores in each form that they are handed around in. */
import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readTeacherScores } from '../harness/interchange/teacher-scores.js';
import { removeClosed } from './open-files.js';

const folder = await mkdtemp(path.join(tmpdir(), 'strata-teacher-'));
after(() => removeClosed(folder));
let written = 0;

async function read(content: string | Uint8Array, fault?: string) {
  const file = path.join(folder, `scores-${written++}`);
  await writeFile(file, content);
  const found: (string | number)[][] = [];
  const count = await readTeacherScores(file, (...taken) => {
    found.push(taken);
    return fault;
  });
  assert.equal(count, found.length);
  return found;
}

test('lines of three columns, a TREC run, and lines of a positive and a negative, packed or not', async () => {
  const expected = [
    ['q1', 'p1', 9.5],
    ['q1', 'p2', -1e-3],
    ['q2', 'p1', 0],
  ];
  const three = 'q1\tp1\t9.5\nq1\tp2\t-1e-3\n\n# a word\nq2 p1 0\n';
  assert.deepEqual(await read(three), expected);
  assert.deepEqual(await read(gzipSync(three)), expected);
  assert.deepEqual(await read(`query-id\tcorpus-id\tscore\n${three}`), expected, 'as BEIR heads its columns');
  assert.deepEqual(await read('q1 Q0 p1 1 9.5 t\nq1 Q0 p2 2 -1e-3 t\nq2 Q0 p1 1 0 t\n'), expected);
  assert.deepEqual(await read('9.5\t-0.5\tq1\tp1\tp2\n9.5\t2\tq1\tp1\tp3\n'), [
    ...[
      ['q1', 'p1', 9.5],
      ['q1', 'p2', -0.5],
    ],
    ...[
      ['q1', 'p1', 9.5],
      ['q1', 'p3', 2],
    ],
  ]);
});

test('whole numbers are scores, unless they are the ranks of every query', async () => {
  assert.equal((await read('q1\tp1\t2\nq1\tp2\t1\nq2\tp1\t1\n')).length, 3);
  assert.equal((await read('q1\tp1\t1\nq2\tp1\t1\n')).length, 2, 'one passage each says nothing');
  await assert.rejects(read('q1\tp1\t1\nq1\tp2\t2\nq2\tp1\t1\n'), {
    code: 'DATA_INVALID',
    message: /is 1 to n in each query: these are ranks/,
  });
});

test('what is no file of scores is refused with its line', async () => {
  const faults: [string, RegExp][] = [
    ['', /holds no scores/],
    ['query passage score\n', /holds no scores/],
    ['q1 p1\n', /line 1: 2 columns/],
    ['q1 p1 1.5 x\n', /line 1: 4 columns/],
    ['q1 p1 1.5\nq1 Q0 p2 1 0.5 t\n', /line 2: 6 columns, and 3 in the lines before/],
    ['q1 p1 1.5\nq1 p2 NaN\n', /line 2: score 'NaN' is not a number/],
    ['q1 p1 Infinity\n', /line 1: score 'Infinity' is not a number/],
    ['q1 p1 0x10\n', /line 1: score '0x10' is not a number/],
    ['1.5\tlow\tq1\tp1\tp2\n', /line 1: score 'low' is not a number/],
    ['q1\tp 1\t1.5\n', /line 1: 'p 1' between two tabs holds white space/],
  ];
  for (const [content, message] of faults)
    await assert.rejects(read(content), { code: 'DATA_INVALID', message }, JSON.stringify(content));
  await assert.rejects(read('q1 p1 1\nq1 p2 5\n', 'it is not wanted'), {
    message: /line 1: it is not wanted/,
  });
  await assert.rejects(
    readTeacherScores(path.join(folder, 'none'), () => undefined),
    { code: 'PATH_INVALID' },
  );
});
