/** Columns that show what a record says of its run: bytes, seconds, the lambda that was chosen; and datasets that are counted. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { silentProgress } from '../harness/progress.js';
import { documentOf, toCsv, toMarkdown } from '../harness/reproduction/document.js';
import { loadReproduction } from '../harness/reproduction/files.js';
import { gridOf } from '../harness/reproduction/grid.js';
import { reproduce } from '../harness/reproduction/outcome.js';
import { count } from '../harness/sweep/counts.js';
import { assertRunnable } from '../harness/sweep/runnable.js';
import { train } from '../harness/sweep/trainings.js';
import { sweep } from '../harness/sweep.js';
import { inFixtures } from './places.js';
import { grid, gridOptions } from './tiny-grid.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-facts-'));
});
after(() => rm(root, { recursive: true, force: true }));

const { average: _, trainOn: __, ...own } = grid;
const squad = inFixtures('datasets/squad');

async function made(name: string, form: object, ...set: string[]) {
  const file = path.join(root, `${name}.json`);
  await writeFile(file, JSON.stringify({ ...own, ...form }));
  const options = { ...gridOptions(root, 'paper'), folders: new Map([['squad', squad]]), set };
  const planned = await gridOf(loadReproduction(file), options);
  const outcome = await reproduce(planned, { assertRunnable, sweep, train, count }, silentProgress());
  return { ...outcome, document: documentOf(planned, outcome) };
}

test('bytes, seconds and the machine they were measured on, beside those of the paper', async () => {
  const columns = [
    { label: 'bytes', fact: 'projected-bytes', unit: 'bytes', decimals: 0 },
    { label: 'GiB', fact: 'projected-bytes', unit: 'GiB', decimals: 2 },
    { label: 's', fact: 'whole-index-s', unit: 's', decimals: 4 },
    { label: 'Top-5', measure: 'answer@5' },
  ];
  const groups = [{ label: 'SQuAD', dataset: 'squad', columns }];
  const rows = [
    { label: 'one', architecture: 'dual-encoder', published: [null, 60, 0.2056, 50] },
    {
      label: 'two',
      architecture: 'mlr',
      settings: { arch: { layers: [1, 2] } },
      published: [null, 120, null, null],
    },
  ];
  const { document, records } = await made('cost', { groups, rows }, 'latency.queries=2');
  const figure = (row: number, column: number) => document.rows[row]!.figures[column]!;
  const ours = (row: number, column: number) => {
    const { ours: found } = figure(row, column);
    assert.ok('value' in found);
    return found.value;
  };
  // D = 16, float32.
  assert.equal(ours(0, 0), 21_015_324 * 16 * 4);
  assert.equal(ours(1, 0), 21_015_324 * 2 * 16 * 4);
  assert.equal(ours(0, 1), (21_015_324 * 64) / 2 ** 30);
  assert.equal(figure(0, 1).difference, ours(0, 1) - 60);
  assert.equal(ours(0, 2), records[0]!.latency!.wholeIndexSecondsPerQuery);
  assert.equal(ours(0, 3), 100 * records[0]!.measures['answer@5']!.mean);
  assert.match(toMarkdown(document), /^\| one \| 1,344,980,736 \| – \| – \| 1\.25 \| 60\.00 \| −58\.75 \| /m);
  const { cpu } = records[0]!.device.machine;
  assert.ok(
    document.notes.some((note) => note.startsWith('Our seconds were measured on') && note.includes(cpu)),
  );
  assert.match(toCsv(document), /^.*,whole-index-s,s,/m);

  // Nothing is timed: the seconds are absent and nothing else is.
  const untimed = (await made('untimed', { groups, rows })).document;
  const [bytes, , seconds] = untimed.rows[0]!.figures;
  assert.ok('value' in bytes!.ours && 'reason' in seconds!.ours);
  assert.ok(!untimed.notes.some((note) => note.includes('measured on:')));
});

test('the lambda that dev chose, with the score of each', async () => {
  const columns = [
    { label: 'λ', fact: 'lambda', unit: 'number', decimals: 2 },
    { label: 'at 0.1', fact: 'dev-score@0.1', unit: 'number' },
    { label: 'at 10', fact: 'dev-score@10', unit: 'number' },
    { label: 'at 3', fact: 'dev-score@3', unit: 'number' },
  ];
  const settings = { arch: { layers: [1, 2], lambda: [0.1, 10] } };
  const { document, records } = await made('lambda', {
    groups: [{ label: 'SQuAD', dataset: 'squad', columns }],
    rows: [
      { label: 'searched', architecture: 'mlr-sc', settings, published: [1, null, null, null] },
      {
        label: 'fixed',
        architecture: 'mlr-sc',
        settings: { arch: { lambda: 1 } },
        published: [1, null, null, null],
      },
    ],
  });
  const [searched, fixed] = document.rows.map(({ figures }) => figures.map(({ ours }) => ours));
  const { lambdaSearch } = records[0]!.training!;
  const best = lambdaSearch!.reduce((a, b) => (b.dev < a.dev ? b : a));
  assert.deepEqual(
    searched!.map((ours) => ('value' in ours ? ours.value : ours.reason)),
    [best.lambda, lambdaSearch![0]!.dev, lambdaSearch![1]!.dev, 'not measured'],
  );
  assert.ok(
    fixed!.every((ours) => 'reason' in ours),
    'what was not searched for was not chosen',
  );
});

test('datasets are counted and nothing is run; one that cannot be opened leaves its error', async () => {
  const columns = ['train-queries', 'train-queries-with-positive', 'dev-queries', 'test-queries'].map(
    (fact) => ({ label: fact, fact, unit: 'count', decimals: 0 }),
  );
  const { document, records, failures } = await made('counts', {
    groups: [
      { label: 'SQuAD', dataset: 'squad', columns },
      { label: 'NF', dataset: 'beir/nfcorpus', columns },
    ],
    rows: [{ label: 'queries', counts: true, published: [79_168, null, null, null, null, null, null, null] }],
  });
  assert.deepEqual(records, []);
  const counted = document.rows[0]!.figures.map(({ ours }) => ('value' in ours ? ours.value : ours.reason));
  // 12 questions in the train file, a tenth of them dev; 3 in the dev file. Each has its paragraph.
  assert.deepEqual(counted.slice(0, 4), [11, 11, 1, 3]);
  assert.deepEqual(
    counted.slice(4),
    Array(4).fill('failed'),
    'not on this machine, and nothing is fetched offline',
  );
  assert.equal(failures.length, 1);
  assert.match(toMarkdown(document), /\| 79,168 \|/);
});
