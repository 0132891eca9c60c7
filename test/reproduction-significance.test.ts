/** Stars beside the figures of a reproduced table: from paired tests of made-up runs, and what one seed cannot say. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { documentOf, toCsv, toMarkdown } from '../harness/reproduction/document.js';
import { type LoadedReproduction, loadReproduction } from '../harness/reproduction/files.js';
import { gridOf } from '../harness/reproduction/grid.js';
import { reproduce } from '../harness/reproduction/outcome.js';
import { pairedT } from '../harness/statistics/paired-t.js';
import { recordOf } from './run-records.js';

const root = mkdtempSync(path.join(tmpdir(), 'strata-significance-'));
after(() => rmSync(root, { recursive: true, force: true }));

const queries = 40;
const table3 = loadReproduction('table3');

/** Of so many of the 40 queries the answer is found. */
const perQuery = (found: number) => Array.from({ length: queries }, (_, q) => (q < found ? 1 : 0));

/** Queries that a run finds an answer for: in the first column the row tested is always better, in the others it varies. */
function foundBy({ architecture, seed }: RunRequest, measure: string): number {
  if (architecture === 'bm25') return 10;
  if (measure === 'answer@5') return architecture === 'mlr-sc' ? 26 + (seed % 3) : 18 + (seed % 2);
  return 25 + ((seed * (architecture === 'mlr-sc' ? 3 : 2)) % 5);
}

function made(request: RunRequest): RunRecord {
  const base = recordOf(request);
  const ids = request.config.measures.filter((id) => id.startsWith('answer@'));
  return {
    ...base,
    queryIds: Array.from({ length: queries }, (_, q) => `q${q}`),
    measures: Object.fromEntries(
      ids.map((id) => {
        const values = perQuery(foundBy(request, id));
        const mean = foundBy(request, id) / queries;
        return [id, { mean, perQuery: values, higherIsBetter: true, description: id }];
      }),
    ),
  };
}

async function reproduced(loaded: LoadedReproduction, flags: Readonly<Record<string, unknown>> = {}) {
  const grid = await gridOf(loaded, {
    scale: 'paper',
    dataset: 'sample',
    folders: new Map(),
    models: new Map(),
    offline: true,
    cwd: root,
    flags,
    set: [],
  });
  const sweep = async (requests: readonly RunRequest[]) => ({ records: requests.map(made), failures: [] });
  const train = async () => ({ checkpoints: new Map<RunRequest, string>(), failures: [] });
  const assertRunnable = async () => undefined;
  const makers = { assertRunnable, sweep, train, count: async () => new Map() };
  return documentOf(grid, await reproduce(grid, makers, silentProgress()));
}

const starred = (document: Awaited<ReturnType<typeof reproduced>>) =>
  document.rows.flatMap(({ label, figures }) =>
    figures
      .filter(({ significance }) => significance?.isSignificant)
      .map(({ group, column }) => `${label}, ${group}, ${column}`),
  );

test('table 3 with five seeds: stars by the paired t-test over seeds, the published ones as printed', async () => {
  const document = await reproduced(table3);
  const row = document.rows.find(({ label }) => label === 'single-vector MLR')!;
  const [top5, top20] = row.figures;
  assert.deepEqual(starred(document), [
    'single-vector MLR, Natural Questions, Top-5',
    'single-vector MLR, TriviaQA, Top-5',
    'single-vector MLR, SQuAD, Top-5',
  ]);
  const { against, over, n, p, correctedP } = top20!.significance!;
  assert.deepEqual([against, over, n], ['RetroMAE', 'seeds', 5]);
  const means = (architecture: string) =>
    Float64Array.from([1, 2, 3, 4, 5], (seed) => {
      const request = { architecture, seed } as RunRequest;
      return foundBy(request, 'answer@20') / queries;
    });
  assert.ok(Math.abs(p! - pairedT(means('dual-encoder'), means('mlr-sc'), 0.95).p!) < 1e-12);
  // In the other two columns the differences sum to 0: the smallest of three p is taken three times.
  assert.deepEqual([p, correctedP], [1, 1]);
  assert.ok(top5!.significance!.p! < 0.001);
  assert.equal(top5!.significance!.correctedP, 3 * top5!.significance!.p!);
  assert.deepEqual(
    row.figures.map(({ published }) => published!.isSignificant),
    [true, false, false, true, false, false, true, false, false],
  );
  assert.ok(
    document.rows.every(
      ({ label, figures }) =>
        label === row.label || figures.every(({ significance }) => significance === undefined),
    ),
  );
  const text = toMarkdown(document);
  assert.match(text, /\| single-vector MLR \| [\d.]+±[\d.]+\\\* \| 76\.1±0\.4\\\* \|/);
  assert.match(text, /better than RetroMAE by the paired t test over 5 seeds, p < 0\.05, corrected by Holm/);
  const line = toCsv(document)
    .split('\n')
    .find((each) => /single-vector MLR,Natural Questions,Top-5/.test(each));
  assert.match(
    line!,
    new RegExp(`,seeds,${top5!.significance!.p},${top5!.significance!.correctedP},true,true$`),
  );
});

test('with one seed the queries are tested, and the table says what that does not tell', async () => {
  const document = await reproduced(table3, { seeds: '7' });
  const { significance } = document.rows.find(({ label }) => label === 'single-vector MLR')!.figures[0]!;
  assert.deepEqual([significance!.over, significance!.n], ['queries', queries]);
  assert.equal(significance!.test, 'McNemar exact');
  assert.match(document.notes.join('\n'), /^One seed: the paper's test over seeds cannot be made/m);
});

test('seeds that cannot be paired leave the figures without stars, with the reason', async () => {
  const { reproduction } = table3;
  const rows = reproduction.rows.map((row) => (row.label === 'RetroMAE' ? { ...row, seeds: [1, 2] } : row));
  const document = await reproduced({ ...table3, reproduction: { ...reproduction, rows } });
  assert.deepEqual(starred(document), []);
  assert.match(document.notes.join('\n'), /single-vector MLR, SQuAD Top-5: no test: .*seed/);
});

test('what is significantly worse has no star', async () => {
  const { reproduction } = table3;
  const rows = reproduction.rows.map(({ testedAgainst: _, significant: __, ...row }) =>
    row.label === 'RetroMAE' ? { ...row, testedAgainst: 'single-vector MLR' } : row,
  );
  const document = await reproduced({ ...table3, reproduction: { ...reproduction, rows } });
  const { significance } = document.rows.find(({ label }) => label === 'RetroMAE')!.figures[0]!;
  assert.ok(significance!.correctedP! < 0.01);
  assert.deepEqual(starred(document), []);
});
