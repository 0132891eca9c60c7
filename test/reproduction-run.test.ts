/** A small grid of one's own, from its file to the table: trained on one collection, searched in two. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { reproduceCommand } from '../harness/cli/reproduce.js';
import { BenchError } from '../harness/errors.js';
import type { RunRequest } from '../harness/pipeline.js';
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
import { train } from '../harness/sweep/trainings.js';
import { sweep } from '../harness/sweep.js';
import { inFixtures } from './places.js';

const fixtures = inFixtures('datasets');
const scratch = { layers: 2, dimensions: 16, heads: 2, intermediate: 32, vocabularySize: 300 };
const tiny = {
  model: { scratch },
  text: { passageTokens: 24 },
  train: { epochs: 1, batchSize: 4 },
  latency: { queries: 0 },
};
const grid = {
  title: 'Two collections and three rows',
  published: { in: 'Table 0', quote: 'made up', unit: 'percent', decimals: 1 },
  encoder: { layers: 2, dimensions: 16 },
  presets: ['small'],
  settings: tiny,
  seeds: [1],
  trainOn: 'squad',
  groups: [
    { label: 'SQuAD', dataset: 'squad', columns: [{ label: 'Top-5', measure: 'answer@5' }] },
    { label: 'NF', dataset: 'beir/nfcorpus', columns: [{ label: 'NDCG', measure: 'ndcg@10' }] },
  ],
  average: 'Average',
  rows: [
    { label: 'quoted', published: [50, null, 60] },
    {
      label: 'one vector',
      architecture: 'mlr-sc',
      settings: { arch: { layers: [1, 2] } },
      published: [10, 20, null],
    },
    {
      label: 'wrong',
      architecture: 'mlr',
      settings: { arch: { layers: [1, 2], vectors: 3 } },
      published: [1, 2, 3],
    },
  ],
  small: { settings: tiny },
  collections: {},
  cost: {
    quote: 'made up',
    gpuHours: [1, 2],
    gpu: 'V100',
    trainedPassages: 1,
    encodedPassages: 1,
    trainedPassageWeight: 4,
  },
  notes: [],
};

const makers = { sweep, train };

let root: string;
let file: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-reproduce-'));
  file = path.join(root, 'tiny.json');
  await writeFile(file, JSON.stringify(grid));
});
after(() => rm(root, { recursive: true, force: true }));

const options = (scale: GridOptions['scale']): GridOptions => ({
  scale,
  dataset: 'beir/nfcorpus',
  folders: new Map([
    ...(scale === 'small' ? [] : [['squad', path.join(fixtures, 'squad')] as const]),
    ['beir/nfcorpus', path.join(fixtures, 'beir', 'nfcorpus')],
  ]),
  models: new Map(),
  offline: true,
  cwd: root,
  flags: { cache: path.join(root, 'cache'), out: path.join(root, 'out') },
  set: [],
});

/** By row and group. */
const valueIn = ({ rows }: ReproductionDocument, label: string, group: string) =>
  rows.find((row) => row.label === label)!.figures.find((figure) => figure.group === group)!;

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
  assert.match(JSON.stringify(valueIn(document, 'wrong', 'NF').ours), /CONFIG_INVALID/);
  assert.ok(outcome.failures.length > 0);
  assert.match(toMarkdown(document), /^\| wrong \| CONFIG_INVALID \| 1\.0 \| – \|/m);
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
  assert.match(JSON.stringify(valueIn(document, 'wrong', 'NF').ours), /CONFIG_INVALID/);
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
  const command = reproduceCommand(async () => ({
    sweep: async (requests) => ({ records: [], failures: failures(requests) }),
    train: async (requests) => ({ checkpoints: new Map(), failures: failures(requests) }),
  }));
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

test('what nobody can fetch stops the grid before its first run, or is left out where that is asked for', async () => {
  const private_ = {
    label: 'Robust',
    dataset: 'beir/robust04',
    columns: [{ label: 'NDCG', measure: 'ndcg@10' }],
  };
  const { rows, groups, average, ...rest } = grid;
  const some = path.join(root, 'some.json');
  const published = [1, 2, 3];
  const row = { ...rows[1]!, published };
  await writeFile(some, JSON.stringify({ ...rest, average, groups: [groups[1], private_], rows: [row] }));
  const [only, untrained] = [path.join(root, 'only.json'), path.join(root, 'untrained.json')];
  const evaluated = { ...rest, groups: [private_], rows: [{ ...row, published: [1] }] };
  await writeFile(only, JSON.stringify(evaluated));
  const trained = { ...rest, trainOn: 'beir/robust04', groups, rows: [{ ...row, published: [1, 2] }] };
  await writeFile(untrained, JSON.stringify(trained));
  const { folders, flags } = options('paper');
  const out = path.join(root, 'without');
  let printed = '';
  let asked: string[] = [];
  const command = reproduceCommand(async () => ({
    sweep: async (requests, progress) => {
      asked.push(...requests.map(({ dataset }) => dataset));
      return sweep(requests, progress);
    },
    train: async () => assert.fail('nothing is only trained here'),
  }));
  const on = (name: string, ...more: string[]) => {
    [printed, asked] = ['', []];
    // A folder that the grid has no use for is refused.
    const own = [...folders].filter(([dataset]) => name !== only || dataset === 'squad');
    const data = own.flatMap(([dataset, folder]) => ['--data', `${dataset}=${folder}`]);
    const places = ['--out', out, '--cache', String(flags.cache), '--offline'];
    return execute('reproduce', command, [name, ...more, ...data, ...places], (text) => {
      printed += text;
    });
  };
  await assert.rejects(on(some), { code: 'PATH_INVALID', message: /^beir\/robust04 cannot be downloaded/ });
  assert.equal(await on(some, '--dry-run', '--without-missing'), 0);
  assert.match(printed, /^MISSING.*: beir\/robust04/m);
  assert.deepEqual(asked, [], 'neither makes a run');

  assert.equal(await on(some, '--without-missing'), 0, 'it was asked for, so it is no failure');
  assert.deepEqual(asked, ['squad', 'beir/nfcorpus']);
  assert.match(printed, /^one vector +\d+\.\d +1\.0 +\S+$/m);
  assert.match(printed, /^one vector +– +2\.0 +–$/m);
  assert.match(printed, /Left out, for want of a dataset that cannot be downloaded: Robust\./);
  const text = await readFile(path.join(out, 'some-paper.json'), 'utf8');
  const [{ figures }] = (JSON.parse(text) as ReproductionDocument).rows as [ReproductionDocument['rows'][0]];
  assert.deepEqual(figures[1]!.ours, { reason: 'left out' });
  assert.equal('value' in figures[0]!.ours, true);
  // No average over fewer collections than the one beside it.
  assert.deepEqual(figures[2]!.ours, {
    ...{ reason: 'not measured', code: 'absent', message: '1 of 2 figures are absent' },
  });

  // With a training goes all that is evaluated with its checkpoint, and a training that nothing is left for.
  for (const name of [untrained, only])
    await assert.rejects(on(name, '--without-missing'), {
      code: 'PATH_INVALID',
      message: 'Without beir/robust04 nothing of this grid is left to run.',
    });
  assert.deepEqual(asked, []);
  const alone = (...more: string[]) =>
    execute('reproduce', command, ['table5', ...more], (line) => {
      printed += line;
    });
  await assert.rejects(alone('--data', `beir/robust04=${root}`), /beir\/trec-news, beir\/bioasq.* cannot be/);
  printed = '';
  assert.equal(await alone('--dry-run'), 0);
  assert.match(printed, /^MISSING.*: beir\/trec-news, beir\/robust04, beir\/bioasq/m);
});
