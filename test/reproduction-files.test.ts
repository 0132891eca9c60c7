/** Every table and figure that can be reproduced: its file is valid, its grid can be planned without a network. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { parseMeasures } from '../harness/plugins/measures.js';
import { datasetNames, datasetsNamed } from '../harness/plugins.js';
import { estimate } from '../harness/reproduction/estimate.js';
import { loadReproduction, reproductionNames } from '../harness/reproduction/files.js';
import { type GridOptions, gridOf } from '../harness/reproduction/grid.js';
import type { Reproduction, Unit } from '../harness/reproduction/reproduction.js';
import { secondStage } from '../harness/stages/training.js';

const root = mkdtempSync(path.join(tmpdir(), 'strata-reproduction-'));
after(() => rmSync(root, { recursive: true, force: true }));

const options = (scale: GridOptions['scale'], set: readonly string[] = []): GridOptions => ({
  scale,
  dataset: 'sample',
  folders: new Map(),
  models: new Map(),
  offline: true,
  cwd: root,
  flags: {},
  set,
});

test('the tables and figures of the paper are all there', () => {
  const figures = ['efficiency', 'lambda', 'figure2', 'figure3', 'figure4', 'figure5'];
  const tables = ['table1', 'table2', 'table3', 'table4', 'table5', 'table6', 'table7', 'table8'];
  const names = reproductionNames();
  for (const name of [...figures, ...tables]) assert.ok(names.includes(name), name);
  assert.throws(() => loadReproduction('table22'), /Did you mean 'table2'/);
});

for (const name of reproductionNames()) {
  const loaded = loadReproduction(name);
  const { reproduction } = loaded;

  test(`${name}: every row that is run has a plan at both scales, with what it takes`, async () => {
    for (const scale of ['paper', 'small'] as const) {
      const grid = await gridOf(loaded, options(scale));
      assert.ok(grid.entries.length > 0);
      const plan = await estimate(grid);
      assert.equal(plan.unknown, 0, `${scale}: something is not known beforehand`);
      // What only counts takes nothing.
      const runs = !grid.runs.every(({ counts }) => counts);
      assert.deepEqual([plan.passages > 0, plan.indexBytes > 0], [runs, runs]);
      assert.equal(plan.gpuHours === null, scale === 'small');
      for (const { run, rows } of plan.runs) assert.ok(rows.length > 0, `${run.key} fills no row`);
    }
  });

  test(`${name}: at the scale small no two rows are the same run`, async () => {
    assert.deepEqual((await gridOf(loaded, options('small'))).coincidences, []);
  });

  test(`${name}: measures and datasets exist, and what is run on each is known`, async () => {
    parseMeasures(
      reproduction.groups.flatMap(({ columns }) => columns.flatMap(({ measure }) => measure ?? [])),
    );
    const names = await datasetNames();
    for (const { dataset } of reproduction.groups) {
      for (const member of await datasetsNamed(dataset)) {
        assert.ok(names.includes(member), `${member} is no dataset`);
        assert.ok(reproduction.collections[member], `${member} has no number of passages`);
      }
    }
  });

  test(`${name}: published figures are in the range of their unit, and averages those of their row`, () => {
    const most: Partial<Record<Unit, number>> = { percent: 100, share: 1 };
    const units = reproduction.groups.flatMap(({ columns }) =>
      columns.map(({ unit }) => unit ?? reproduction.published.unit),
    );
    for (const { published, label } of reproduction.rows) {
      for (const [i, value] of published.entries()) {
        const limit = most[units[i] ?? reproduction.published.unit] ?? Number.POSITIVE_INFINITY;
        assert.ok(value === null || (value > 0 && value <= limit), label);
      }
      if (reproduction.average === undefined) continue;
      const [average, ...rest] = published.toReversed() as number[];
      const mean = rest.reduce((sum, value) => sum + value, 0) / rest.length;
      assert.ok(Math.abs(mean - average!) < 0.001, `${label}: ${mean} and ${average}`);
    }
  });
}

test('rows that say their seeds run with them, the others with those of the table', async () => {
  for (const name of reproductionNames()) {
    const loaded = loadReproduction(name);
    const { reproduction } = loaded;
    const grid = await gridOf(loaded, options('paper'));
    for (const { row, seeds } of grid.entries) {
      const run = seeds.map(({ runs }) => runs[0]!.request.seed);
      assert.deepEqual(run, row.seeds ?? reproduction.seeds, `${name}, ${row.label}`);
    }
  }
});

test('figures that two places of the paper print are the same in both files', () => {
  const figures = (name: string, label: string) =>
    loadReproduction(name).reproduction.rows.find((row) => row.label === label)!.published;
  assert.deepEqual(figures('table7', '{10,12}, self-contrastive'), figures('table8', '{10,12}'));
  assert.deepEqual(
    figures('table7', '{10,12}, self-contrastive'),
    figures('table2', 'MLR {10,12}, self-contrastive').slice(0, 3),
  );
  const rounded = figures('table2', 'Dual-Encoder').map((value) => Math.round(value! * 10) / 10);
  assert.deepEqual(figures('table3', 'DPR'), rounded);
});

test('a configuration file changes what the machine does and no figure; a flag changes both', async () => {
  const cwd = path.join(root, 'settings');
  const file = path.join(root, 'mine.json');
  const mine = {
    train: { epochs: 3, patience: 1, saveEverySteps: 9 },
    search: { depth: 7, memoryMiB: 300 },
    encode: { batchTokens: 999 },
    measures: ['mrr@3'],
    searcher: 'exact',
  };
  writeFileSync(file, JSON.stringify(mine));
  const given = { ...options('paper', ['train.batchSize=64']), cwd, file };
  const { runs } = await gridOf(loadReproduction('table8'), given);
  const { train, searcher, arch, search, encode, measures } = runs[0]!.request.config;
  assert.deepEqual([train.saveEverySteps, search.memoryMiB, encode.batchTokens], [9, 300, 999]);
  assert.ok(search.depth !== 7 && !measures.includes('mrr@3'));
  assert.deepEqual([train.epochs, train.patience, train.batchSize, searcher], [40, null, 64, 'exact']);
  assert.deepEqual(arch.layers, [2, 12]);
});

test('table 5: trained once on MS MARCO, evaluated on 15 collections, one of which is 12', async () => {
  const { runs, entries } = await gridOf(loadReproduction('table5'), options('paper'));
  assert.equal(entries.length, 2 * 15);
  const trained = runs.filter(({ after: training }) => training === undefined);
  assert.deepEqual(
    trained.map(({ request }) => `${request.architecture} ${request.dataset} ${request.config.train.epochs}`),
    ['dual-encoder ms-marco/titles-sbert 10', 'mlr-sc ms-marco/titles-sbert 10'],
  );
  const tokens = ({ request: { config } }: (typeof runs)[number]) => [
    ...[config.text.queryTokens, config.text.passageTokens],
  ];
  for (const run of trained) assert.deepEqual(tokens(run), [32, 256]);
  for (const run of runs.slice(2)) assert.deepEqual(tokens(run), [512, 512]);
  assert.equal(runs.length, 2 + 2 * (14 + 12));
  assert.ok(runs.slice(2).every(({ request }) => request.config.train.epochs === 0));
});

test('table 5: what is only trained on is not encoded, and counts each pair of a query and a positive', async () => {
  const plan = await estimate(await gridOf(loadReproduction('table5'), options('paper')));
  const { cost } = loadReproduction('table5').reproduction;
  const [first] = plan.runs;
  assert.deepEqual(
    [first!.run.request.dataset, first!.encodings, first!.indexBytes],
    ['ms-marco/titles-sbert', 0, null],
  );
  // 532,761 judged pairs, each with 15 negatives, 10 times; nothing is added for the 8.8 million passages.
  const work = cost.trainedPassageWeight * 532_761 * 10 * 16;
  const unit = cost.encodedPassages + cost.trainedPassageWeight * cost.trainedPassages;
  assert.ok(Math.abs(first!.gpuHours![0] - (cost.gpuHours[0] * work) / unit) < 1e-6);
  const { collections } = loadReproduction('table5').reproduction;
  const evaluated = Object.entries(collections).filter(([name]) => !name.startsWith('ms-marco'));
  assert.equal(plan.passages, 2 * evaluated.reduce((sum, [, { passages }]) => sum + passages, 0));
});

test('table 3: dev switches to average rank as the scripts of the paper say, in either stage', async () => {
  const { entries } = await gridOf(loadReproduction('table3'), options('paper'));
  const twice = entries.filter(({ seeds }) => seeds[0]!.runs[0]!.request.config.stages === 2);
  assert.equal(twice.length, 2 * 3);
  for (const { group, seeds } of twice) {
    const { config } = seeds[0]!.runs[0]!.request;
    const { epochs, averageRankFrom, checkpoint } = secondStage(config).train;
    // 16 of 20 epochs for SQuAD, whose best is kept; elsewhere the number of the first stage, which 20 do not reach.
    const [from, kept] = group.label === 'SQuAD' ? [16, 'best'] : [31, 'last'];
    assert.deepEqual(
      [config.train.averageRankFrom, averageRankFrom, epochs, checkpoint],
      [31, from, 20, kept],
    );
  }
});

test('table 4: two stages of MS MARCO, the second on mined negatives alone, with the presets of the paper', async () => {
  const { runs } = await gridOf(loadReproduction('table4'), options('paper'));
  const trained = runs.filter(({ after: training }) => training === undefined);
  assert.deepEqual(
    trained.map(({ request: { architecture, config } }) => [architecture, config.stages, config.arch.lambda]),
    [
      // Lambda plays no part in a dual encoder.
      ['dual-encoder', 2, 0.01],
      ['mlr-sc', 1, 0.01],
      ['mlr-sc', 2, 0.01],
      ['mlr-sc', 2, 1],
    ],
  );
  for (const { request } of trained) {
    const { config } = request;
    assert.deepEqual(config.preset, ['paper', 'msmarco']);
    const { train, stage2, text } = config;
    assert.deepEqual(
      [train.epochs, train.learningRate, train.negatives, text.queryTokens],
      [4, 1e-5, 15, 32],
    );
    const { epochs, learningRate, negatives, negativePool, depth } = stage2;
    assert.deepEqual([epochs, learningRate, negatives, negativePool, depth], [4, 1e-5, 'mined', 100, 200]);
  }
});

test('a file of the wrong form is refused with every fault', () => {
  const { reproduction } = loadReproduction('table8');
  const write = (value: unknown) => {
    const file = path.join(root, 'wrong.json');
    writeFileSync(file, JSON.stringify(value));
    return file;
  };
  const faulty = { ...reproduction, publisched: 1, seeds: [] };
  assert.throws(
    () => loadReproduction(write(faulty)),
    /must not have 'publisched'[\s\S]*\$\.seeds must .*, not \[\]/,
  );
  const rows: Reproduction['rows'] = reproduction.rows.map((row) => ({ ...row, label: 'x', published: [1] }));
  assert.throws(
    () => loadReproduction(write({ ...reproduction, rows })),
    /1 figures for 3 columns[\s\S]*a label twice/,
  );
  const [group] = reproduction.groups;
  const columns = ['projected-byte', 'dev-score@x'].map((fact) => ({ label: fact, fact }));
  const counting = reproduction.rows.map((row) => ({ ...row, counts: true, published: [1, 1] }));
  assert.throws(
    () => loadReproduction(write({ ...reproduction, groups: [{ ...group, columns }], rows: counting })),
    /\$\.rows\[0\] counts, and has an architecture[\s\S]*fact is 'projected-byte', not one of projected-bytes,[\s\S]*'dev-score@x'/,
  );
  const both = [{ label: 'x', fact: 'lambda', measure: 'mrr' }];
  assert.throws(() => loadReproduction(write({ ...reproduction, groups: [{ ...group, columns: both }] })));
  writeFileSync(path.join(root, 'cut.json'), '{"title"');
  for (const name of ['cut.json', 'absent.json']) {
    assert.throws(
      () => loadReproduction(path.join(root, name)),
      (error) => error instanceof BenchError && error.exitCode === 2,
    );
  }
});
