/** A small grid of one's own, from its file to the table: trained on one collection, searched in two. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { reproduceCommand } from '../harness/cli/reproduce.js';
import { BenchError } from '../harness/errors.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { silentProgress } from '../harness/progress.js';
import {
  documentOf,
  type ReproductionDocument,
  toCsv,
  toMarkdown,
} from '../harness/reproduction/document.js';
import { loadReproduction } from '../harness/reproduction/files.js';
import { type GridOptions, gridOf } from '../harness/reproduction/grid.js';
import { reproduce } from '../harness/reproduction/outcome.js';
import { count } from '../harness/sweep/counts.js';
import { assertRunnable } from '../harness/sweep/runnable.js';
import { train } from '../harness/sweep/trainings.js';
import { sweep } from '../harness/sweep.js';
import { grid, gridOptions } from './tiny-grid.js';

const makers = { assertRunnable, sweep, train, count };

let root: string;
let file: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-reproduce-'));
  file = path.join(root, 'tiny.json');
  await writeFile(file, JSON.stringify(grid));
});
after(() => rm(root, { recursive: true, force: true }));

const options = (scale: GridOptions['scale']) => gridOptions(root, scale);

/** By row and group. */
const valueIn = ({ rows }: ReproductionDocument, label: string, group: string) =>
  rows.find((row) => row.label === label)!.figures.find((figure) => figure.group === group)!;

/** Nothing is tried. */
const untimed = async () => ({ runs: [], seconds: 0, unknown: 0, reasons: ['not tried here'] });

test('figures of ours beside those published; a row that fails leaves its error and the others stand', async () => {
  const planned = await gridOf(loadReproduction(file), options('paper'));
  const outcome = await reproduce(planned, makers, silentProgress());
  const document = documentOf(planned, outcome);
  const onSquad = valueIn(document, 'one vector', 'SQuAD');
  const onOther = valueIn(document, 'one vector', 'NF');
  const record = (dataset: string) => outcome.records.find((each) => each.dataset.name === dataset)!;
  assert.ok('value' in onSquad.ours && 'value' in onOther.ours);
  assert.equal(onSquad.ours.value, 100 * record('squad').measures['answer@5']!.mean);
  assert.equal(onSquad.difference, onSquad.ours.value - 10);
  assert.equal(onOther.ours.value, 100 * record('beir/nfcorpus').measures['ndcg@10']!.mean);
  // Searched with the weights that the other collection trained, and not trained again.
  assert.ok(record('squad').training!.epochs.length === 1);
  assert.equal(record('beir/nfcorpus').training!.epochs.length, 0);
  assert.equal(record('beir/nfcorpus').training!.init!.architecture, 'mlr-sc');

  const average = valueIn(document, 'one vector', 'Average');
  assert.ok('value' in average.ours);
  assert.equal(average.ours.value, (onSquad.ours.value + onOther.ours.value) / 2);
  assert.equal(average.published, null);
  assert.deepEqual(valueIn(document, 'quoted', 'SQuAD').ours, { reason: 'quoted' });
  assert.match(JSON.stringify(valueIn(document, 'wrong', 'NF').ours), /TRAINING_DIVERGED/);
  assert.ok(outcome.failures.length > 0);
  assert.match(toMarkdown(document), /^\| wrong \| TRAINING_DIVERGED \| 1\.0 \| – \|/m);
});

test('what no column asks for is trained and neither encoded nor searched', async () => {
  const other = path.join(root, 'elsewhere.json');
  const [, onOther] = grid.groups;
  const rows = grid.rows.flatMap((row) => ({ ...row, published: [null, null] }));
  await writeFile(other, JSON.stringify({ ...grid, groups: [onOther], rows }));
  const cache = path.join(root, 'elsewhere');
  const given = {
    ...options('paper'),
    flags: { cache, out: path.join(root, 'elsewhere-out'), keep: 'records' },
  };
  const planned = await gridOf(loadReproduction(other), given);
  assert.deepEqual(
    planned.runs.map(({ request, trainsOnly }) => [request.dataset, trainsOnly]),
    [
      ['squad', true],
      ['squad', true],
      ['beir/nfcorpus', undefined],
      ['beir/nfcorpus', undefined],
    ],
  );
  const outcome = await reproduce(planned, makers, silentProgress());
  const document = documentOf(planned, outcome);
  const { ours } = valueIn(document, 'one vector', 'NF');
  assert.ok('value' in ours);
  const [record] = outcome.records;
  assert.deepEqual([outcome.records.length, record!.dataset.name], [1, 'beir/nfcorpus']);
  assert.equal(ours.value, 100 * record!.measures['ndcg@10']!.mean);
  // One checkpoint trained on squad and one that begins with it; one collection encoded.
  const made = async (kind: string) => (await readdir(path.join(cache, kind))).length;
  assert.equal(await made('shards'), 1);
  assert.match(JSON.stringify(valueIn(document, 'wrong', 'NF').ours), /TRAINING_DIVERGED/);
  const again = await reproduce(planned, makers, silentProgress());
  assert.deepEqual(again.records[0]!.measures, record!.measures);
});

test('at the scale small one dataset stands for all, and the table says what it is worth', async () => {
  const planned = await gridOf(loadReproduction(file), options('small'));
  const document = documentOf(planned, await reproduce(planned, makers, silentProgress()));
  assert.equal(document.comparable, false);
  assert.match(document.heading.join(' '), /^NOT COMPARABLE .* on beir\/nfcorpus\./);
  const { measure, ours, published } = valueIn(document, 'one vector', 'beir/nfcorpus');
  assert.ok('value' in ours);
  assert.deepEqual([measure, published!.value], ['success@5', 10], 'its queries have no answers');
  assert.match(document.notes.join(' '), /by qrels/);
  const [row] = document.rows.filter(({ label }) => label === 'one vector');
  const figures = row!.figures.map((figure) => ({ ...figure, ours: { value: 5, deviation: 0, seeds: 3 } }));
  const [, line] = toCsv({ ...document, rows: [{ ...row!, figures }] }).split('\n');
  assert.match(line!, /,5,0,3,,/, 'a deviation of 0 is one');
});

test('the command leaves three reports, ends as its first failure does, and makes nothing in a dry run', async () => {
  const out = path.join(root, 'reports');
  const squad = options('paper').folders.get('squad');
  const places = ['--out', out, '--data', `squad=${squad}`];
  let printed = '';
  const failures = (requests: readonly RunRequest[]) =>
    requests.map((request) => ({ request, error: new BenchError('UNAVAILABLE', 'No GPU.') }));
  const command = reproduceCommand(
    async () => ({
      assertRunnable: async () => undefined,
      sweep: async (requests) => ({ records: [], failures: failures(requests) }),
      train: async (requests) => ({ checkpoints: new Map(), failures: failures(requests) }),
      count,
    }),
    untimed,
  );
  const given = (...more: string[]) =>
    execute('reproduce', command, [...more, ...places], (text) => {
      printed += text;
    });
  assert.equal(await given(file), 3);
  assert.match(printed, /^one vector +UNAVAILABLE +10\.0 +–$/m);
  assert.deepEqual(await readdir(out), ['tiny-paper.csv', 'tiny-paper.json', 'tiny-paper.md']);
  const written = JSON.parse(
    await readFile(path.join(out, 'tiny-paper.json'), 'utf8'),
  ) as ReproductionDocument;
  assert.equal(written.rows.length, 3);

  printed = '';
  assert.equal(await given('table2', '--scale', 'small', '--dry-run'), 0);
  assert.match(printed, /^NOT COMPARABLE with the paper/m);
  assert.match(printed, /for minutes, on squad\./, 'the one folder says which dataset stands for all');
  const onSample = () => given('table2', '--scale', 'small', '--dry-run', '--dataset', 'sample');
  await assert.rejects(onSample, /no dataset of this grid 'squad'/);
  await assert.rejects(given(file, '--model', `scrath=${root}`), /Did you mean 'scratch'/);
  await assert.rejects(given('table2', '--scale', 'smal'), /neither paper nor small/);
  await assert.rejects(given('table2', '--dataset', 'sample'), /goes with --scale small/);
  await assert.rejects(given('table2', '--data', root), /does not say what the folder holds/);
  await assert.rejects(given(), /which table or figure/);
});
