/** Every figure and setting of the tables against a second copy that was made by hand from the paper: test/fixtures/paper. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadReproduction, reproductionNames } from '../harness/reproduction/files.js';
import type { ColumnGroup, Row } from '../harness/reproduction/reproduction.js';
import { inFixtures } from './places.js';

const text = readFileSync(inFixtures('paper/tables.txt'), 'utf8');
/** By name: what holds for all rows, the lines of the columns, the lines of the rows. */
const copied = new Map(
  text
    .split(/^# /m)
    .slice(1)
    .map((part) => {
      const [head, ...lines] = part.trim().split('\n');
      const [name, common] = head!.split(': ');
      const rows = lines.filter((line) => line.includes('|'));
      return [name!, { common: common!, columns: lines.filter((line) => line.startsWith('= ')), rows }];
    }),
);

/** Keys and values of nested settings, `arch.layers=10,12`. */
function flattened(settings: object, prefix = ''): string[] {
  return Object.entries(settings).flatMap(([key, value]: [string, unknown]) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? flattened(value, `${prefix}${key}.`)
      : [`${prefix}${key}=${String(value)}`],
  );
}

const shortNames = /^(arch\.(?=layers|vectors|lambda)|model\.name(?==))/;
const shortened = (setting: string) =>
  setting.replace(shortNames, (found) => (found === 'model.name' ? 'model' : ''));

function columnsLine({ dataset, settings, columns }: ColumnGroup): string {
  const model =
    settings === undefined
      ? ''
      : ` (${flattened(settings)
          .map(shortened)
          .join(' ')
          .replace(/^model=/, '')})`;
  return `= ${dataset}${model}: ${columns.map(({ measure, fact }) => measure ?? fact).join(' ')}`;
}

/** The figures of a row as the paper prints them, numbers as JavaScript writes them. */
function figuresOf({ published, deviations, significant }: Row): string[] {
  return published.map((value, i) =>
    value === null
      ? '-'
      : `${value}${deviations?.[i] === undefined ? '' : `±${deviations[i]}`}${significant?.[i] ? '*' : ''}`,
  );
}

const plain = (figure: string) => figure.replace(/\d+\.\d+/g, (number) => String(Number(number)));

function settingsOf(row: Row): string[] {
  const { presets, seeds, settings = {}, testedAgainst, groups, scales } = row;
  return [
    ...(presets ? [`presets=${presets}`] : []),
    ...(seeds ? [`seeds=${seeds}`] : []),
    ...flattened(settings).map(shortened),
    ...(testedAgainst ? [`against=${testedAgainst}`] : []),
    ...(groups ? [`only=${groups}`] : []),
    ...(scales ? [`scales=${scales}`] : []),
  ].sort();
}

test('every table and figure has its second copy', () => {
  assert.deepEqual([...copied.keys()].sort(), [...reproductionNames()].sort());
});

for (const [name, { common, columns, rows }] of copied) {
  const { reproduction } = loadReproduction(name);

  test(`${name}: the columns, the presets and the seeds are those of the paper`, () => {
    assert.deepEqual(reproduction.groups.map(columnsLine), columns);
    const { presets, seeds, trainOn, settings } = reproduction;
    assert.deepEqual(
      [
        `${presets}`,
        `seeds ${seeds}`,
        ...(trainOn === undefined ? [] : [`trained on ${trainOn}`]),
        ...flattened(settings).map((setting) => shortened(setting).replace('=', ' ')),
      ],
      common.split('; '),
    );
    assert.deepEqual(reproduction.encoder, { layers: 12, dimensions: 768 });
  });

  test(`${name}: every row has the architecture, the settings and the figures of the paper`, () => {
    assert.deepEqual(
      reproduction.rows.map(({ label }) => label),
      rows.map((line) => line.split('|')[0]!.trim()),
    );
    for (const [i, row] of reproduction.rows.entries()) {
      const [, architecture, settings, figures] = rows[i]!.split('|').map((cell) => cell.trim());
      const words = (cell: string) => cell.split(/\s+/).filter((word) => word !== '');
      assert.deepEqual(
        [row.architecture ?? '', settingsOf(row), figuresOf(row)],
        [architecture, words(settings!).sort(), words(figures!).map(plain)],
        row.label,
      );
    }
  });
}

test('what is known of each collection beforehand is what its page says', () => {
  const sizes = new Map(
    [...readFileSync(inFixtures('paper/sizes.txt'), 'utf8').matchAll(/^(\S+\/\S+)((?: +\d+)+)$/gm)].map(
      ([, name, numbers]) => [name!, numbers!.trim().split(/ +/).map(Number)],
    ),
  );
  const used = new Set<string>();
  for (const name of reproductionNames()) {
    for (const [dataset, collection] of Object.entries(loadReproduction(name).reproduction.collections)) {
      used.add(dataset);
      const { passages, trainingExamples, trainingQueries, codeSteps } = collection;
      const [all, ...training] = sizes.get(dataset) ?? assert.fail(`${dataset} has no sizes`);
      assert.equal(passages, all, `${name}, ${dataset}`);
      // Beyond the examples a table need not say what it has no use for.
      for (const [i, size] of [
        trainingExamples,
        trainingQueries,
        codeSteps?.first,
        codeSteps?.second,
      ].entries())
        if (size !== undefined) assert.equal(size, training[i], `${name}, ${dataset}`);
      assert.equal(trainingExamples === undefined, training.length === 0, `${name}, ${dataset}`);
    }
  }
  assert.deepEqual([...used].sort(), [...sizes.keys()].sort());
});

test('the hours of one training are four GPUs for 16 to 30 hours, over what the paper trains and encodes in them', () => {
  for (const name of reproductionNames()) {
    const { cost } = loadReproduction(name).reproduction;
    assert.deepEqual(cost.gpuHours, [4 * 16, 4 * 30], name);
    // 40 epochs of Natural Questions with two passages each, and all of Wikipedia.
    assert.deepEqual([cost.trainedPassages, cost.encodedPassages], [40 * 58_880 * 2, 21_015_324], name);
    assert.equal(cost.trainedPassageWeight, 4, name);
  }
});

test('at the scale small: layers of the model, epochs, and what only some tables set', () => {
  const small = (layers: number, epochs: number, ...more: string[]) =>
    [
      ...[`model.scratch.layers=${layers}`, 'model.scratch.dimensions=64', 'model.scratch.heads=2'],
      ...['model.scratch.intermediate=256', 'text.passageTokens=64', `train.epochs=${epochs}`],
      ...[
        'train.learningRate=0.001',
        'latency.queries=20',
        'latency.warmup=5',
        'latency.batchSizes=',
        ...more,
      ],
    ].sort();
  const expected: Record<string, string[]> = {
    efficiency: small(2, 1),
    figure2: small(6, 2),
    figure3: small(8, 2),
    figure4: small(6, 2),
    figure5: small(8, 2),
    lambda: small(4, 1),
    table1: small(6, 2),
    table2: small(4, 2),
    table3: small(4, 2, 'stage2.epochs=1'),
    table4: small(4, 2, 'stage2.epochs=1', 'search.depth=1000'),
    table5: small(4, 2),
    table6: small(2, 1),
    table7: small(4, 2),
    table8: small(6, 2),
  };
  for (const name of reproductionNames()) {
    const { reproduction } = loadReproduction(name);
    assert.deepEqual(flattened(reproduction.small.settings).sort(), expected[name], name);
    const inTwo = reproduction.groups.some(({ label }) => label === 'T5');
    assert.equal(reproduction.small.group, inTwo ? 'BERT' : undefined, name);
  }
});
