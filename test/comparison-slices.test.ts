import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command as compare } from '../harness/cli/compare.js';
import { command as evaluate } from '../harness/cli/evaluate.js';
import { command as reportCommand } from '../harness/cli/report.js';
import { compareSlices } from '../harness/comparison.js';
import { BenchError } from '../harness/errors.js';
import { readSlices } from '../harness/interchange/slices.js';
import { holm } from '../harness/statistics/holm.js';
import { given, near, ones } from './given-records.js';
import { writeRecords } from './made-records.js';
import { prepare, records, render } from './made-reports.js';

const folder = mkdtempSync(path.join(tmpdir(), 'bench-slices-'));
after(() => rmSync(folder, { recursive: true }));

/** Queries q0 to q59 are in a, the others in b. */
const slices = new Map(Array.from({ length: 200 }, (_, q) => [`q${q}`, q < 60 ? 'a long one' : 'b']));

function written(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

const lines = (of: ReadonlyMap<string, string>) => [...of].map(([id, slice]) => `${id}\t${slice}\n`).join('');

test('each slice is compared on its queries alone, and all tests of all slices are corrected together', () => {
  const comparisons = compareSlices(records, slices);
  assert.deepEqual(
    comparisons.map(({ slice, candidate, queryCount }) => [slice, candidate, queryCount]),
    [
      ['a long one', 'mlr-sc', 60],
      ['a long one', 'me-bert', 60],
      ['b', 'mlr-sc', 140],
      ['b', 'me-bert', 140],
    ],
  );
  for (const over of ['overQueries', 'overSeeds'] as const) {
    const tests = comparisons.flatMap(({ measures }) => measures.map((measure) => measure[over]));
    assert.deepEqual(
      tests.map(({ correctedP }) => correctedP),
      holm(tests.map(({ p }) => p)),
    );
    for (const { familySize } of comparisons) assert.equal(familySize[over], tests.length);
  }
  const own = records.filter(({ record }) => record.arch.name === 'mlr-sc');
  const means = own.map(({ record }) => {
    const values = record.measures['mrr@10']!.perQuery.slice(0, 60);
    return values.reduce((sum, value) => sum + value, 0) / 60;
  });
  const compared = comparisons[0]!.measures.find(({ measure }) => measure === 'mrr@10')!;
  near(compared.candidate, means.reduce((sum, value) => sum + value, 0) / means.length, 'mean of the slice');
});

test('a format that shows no slices or prices refuses them', async () => {
  for (const [format, option] of [
    ['github', 'slice'],
    ['csv', 'slice'],
    ['junit', 'prices'],
  ] as const) {
    await assert.rejects(
      Promise.resolve(reportCommand.run({ format, [option]: 'none' }, [], () => undefined)),
      {
        code: 'USAGE',
        message: `--${option} plays no part in --format ${format}.`,
      },
    );
  }
});

test('a report has a table of slices, with the marks of its own family of tests', async () => {
  const wide = given({
    arch: 'wide',
    seed: 1,
    measures: { 'success@5': [...ones(60, 60), ...ones(70, 140)] },
  });
  const base = given({ seed: 1, measures: { 'success@5': [...ones(20, 60), ...ones(70, 140)] } });
  const report = await prepare([base, wide], { slices });
  const markdown = await render('markdown', report);
  assert.match(markdown, /### Slices\n\n\| slice \| system \| queries \| success@5 % \|\n/);
  assert.match(markdown, /^\| a long one \| wide \| 60 \| \*\*100\.0\\\*\*\*/m);
  assert.match(markdown, /^\| b \| wide \| 140 \| 50\.0 \(/m);
  assert.match(markdown, /corrected by Holm over 2 tests of all slices/);
  const latex = await render('latex', { ...report, columnsChosen: true });
  assert.match(latex, /\\label\{tab:[\w-]+-slices\}/);
  assert.match(latex, /^Slice & System & Queries & success@5~?\s?\\% \\\\$/m);
  assert.match(latex, /^a long one & wide & 60 & \\textbf\{100\.0\}\$\^\{\*\}\$ \\\\$/m);
  const html = await render('html', report);
  assert.match(html, /rowspan="2">a long one<small>60 queries<\/small><\/th>/);
  assert.equal((await prepare([base, wide])).sections[0]!.slices, undefined);
});

test('slices that name unknown queries or miss some are refused, and both are listed', async () => {
  const some = new Map([...slices].slice(12).concat([['q999', 'b']]));
  const fault = {
    code: 'DATA_INVALID',
    message:
      /12 queries of the records are in no slice: q0, q1, .*q9 and 2 more\n {2}1 query of the slices is in no record: q999$/,
  };
  assert.throws(() => compareSlices(records, some), fault);
  await assert.rejects(prepare(records, { slices: some }), fault);
});

test('a file of slices is read as it is, or refused with every line at fault', async () => {
  assert.deepEqual(
    await readSlices(written('ok.tsv', 'q1\t long one \r\n\nq2\tb\n')),
    new Map([
      ['q1', 'long one'],
      ['q2', 'b'],
    ]),
  );
  const bad = written('bad.tsv', 'q1 a\nq2\tb\nq2\tc\n\tx\nq3\t\nq4\ta\tb\n');
  await assert.rejects(readSlices(bad), {
    code: 'DATA_INVALID',
    message:
      /line 1: 1 columns\n {2}line 3: query 'q2' again, after line 2\n {2}line 4: no query id\n {2}line 5: no slice\n {2}line 6: 3 columns$/,
  });
  await assert.rejects(readSlices(written('many.tsv', 'x\n'.repeat(25))), { message: /and 15 more$/ });
  await assert.rejects(readSlices(written('empty.tsv', '\n\n')), { message: /holds no slices/ });
  await assert.rejects(readSlices(path.join(folder, 'none.tsv')), { code: 'PATH_INVALID' });
});

async function printed(name: string, command: typeof compare, ...argv: string[]): Promise<string> {
  let text = '';
  await execute(name, command, argv, (more) => {
    text += more;
  });
  return text;
}

test('compare and evaluate show slices below what they show of all queries', async () => {
  const file = written('slices.tsv', lines(slices));
  const files = writeRecords(path.join(folder, 'results'), records.slice(0, 2));
  const text = await printed('compare', compare, ...files, '--slice', file);
  assert.match(text, /\nslice: a long one\nA: dual-encoder\nB: mlr-sc\n\nover 60 queries, seed 1\n/);
  assert.match(text, /corrected by Holm over 4 tests over queries and 0 over seeds, all slices together/);

  const qrels = written('qrels', 'q1 0 d1 1\nq2 0 d1 1\nq3 0 d1 1\n');
  const a = written('a.run', 'q1 Q0 d1 1 2 a\nq2 Q0 d9 1 2 a\nq3 Q0 d1 1 1 a\n');
  const b = written('b.run', 'q1 Q0 d9 1 2 b\nq2 Q0 d9 1 2 b\nq3 Q0 d1 1 1 b\n');
  const two = written('two.tsv', 'q1\tx\nq2\tx\nq3\ty\n');
  const asked = ['--qrels', qrels, '--measure', 'success@5', '--slice', two];
  const one = await printed('evaluate', evaluate, '--run', a, ...asked);
  assert.match(one, /\nslice +queries +run +success@5\n-.*\nx +2 +a +0\.5000\ny +1 +a +1\.0000\n$/);
  const both = await printed('evaluate', evaluate, '--run', a, '--run', b, ...asked);
  assert.match(both, /\nx +2 +a +0\.5000\n +b +0\.0000\n +p +1\.0000\n/);
  assert.match(both, /note: p of the slices: corrected by Holm over \d tests of all slices\n$/);
  await assert.rejects(printed('evaluate', evaluate, '--run', a, ...asked, '--json'), { code: 'USAGE' });
  const record = path.join(folder, 'late.record.json');
  const short = written('short.tsv', 'q1\tx\n');
  const refused = ['--run', a, '--qrels', qrels, '--slice', short, '--record', record];
  await assert.rejects(printed('evaluate', evaluate, ...refused), (error: unknown) => {
    assert.ok(
      error instanceof BenchError && /2 queries of the records are in no slice: q2, q3/.test(error.message),
    );
    return true;
  });
  assert.throws(() => rmSync(record), { code: 'ENOENT' }, 'nothing is written where slices do not fit');
});
