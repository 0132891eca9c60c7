/** Every setting of every preset against a second copy that names its source: test/fixtures/paper/presets.txt. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import { presets, usualPresets } from '../harness/presets.js';
import { secondStage } from '../harness/stages/training.js';
import { inFixtures } from './places.js';

/** By heading: the settings below it, sorted. */
const copied = new Map<string, string[]>();
for (const part of readFileSync(inFixtures('paper/presets.txt'), 'utf8').split(/^# /m).slice(1)) {
  const [heading, ...lines] = part.trim().split('\n');
  const settings = lines.flatMap((line) => {
    const [, other, without] = /^= (.*?)(?: without (\S+))?$/.exec(line) ?? [];
    if (other === undefined) return [line.split(/\s/, 1)[0]!].filter((word) => word !== '');
    return copied
      .get(other)!
      .filter((setting) => without === undefined || !setting.startsWith(`${without}=`));
  });
  copied.set(heading!, settings.sort());
}

function flattened(settings: object, prefix = ''): string[] {
  return Object.entries(settings).flatMap(([key, value]: [string, unknown]) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? flattened(value, `${prefix}${key}.`)
      : [`${prefix}${key}=${typeof value === 'number' ? decimal(value) : String(value)}`],
  );
}

/** Without an exponent, as the copy writes numbers. */
const decimal = (value: number) =>
  value < 1e-4 && value > 0 ? value.toFixed(6).replace(/0+$/, '') : String(value);

test('every setting of every preset is the one that its source gives', () => {
  const held = Object.entries(presets).flatMap(([name, { settings, on = {} }]) => [
    [name, flattened(settings).sort()] as const,
    ...Object.entries(on).map(([dataset, own]) => [`${name} on ${dataset}`, flattened(own).sort()] as const),
  ]);
  for (const [heading, settings] of held) assert.deepEqual(settings, copied.get(heading), heading);
  assert.deepEqual(held.map(([heading]) => heading).sort(), [...copied.keys()].sort());
  const seconds = Object.entries(presets).filter(([, { second }]) => second === true);
  assert.deepEqual(
    seconds.map(([name]) => name),
    ['stage2'],
  );
});

const cwd = mkdtempSync(path.join(tmpdir(), 'bench-presets-published-'));
after(() => rmSync(cwd, { recursive: true }));

test('the second stage has the rate of the first and half its epochs, also where the first is changed', () => {
  const second = (preset: string, dataset: string, ...set: string[]) => {
    const { epochs, learningRate } = secondStage(
      loadConfig({ cwd, flags: { preset }, set: ['stages=2', ...set], dataset }),
    ).train;
    return [epochs, learningRate];
  };
  assert.deepEqual(second('paper,stage1', 'dpr/nq'), [20, 5e-6]);
  assert.deepEqual(second('paper,stage1', 'dpr/nq', 'train.learningRate=1e-4', 'train.epochs=12'), [6, 1e-4]);
  assert.deepEqual(
    second('paper,stage1', 'dpr/nq', 'stage2.learningRate=1e-4', 'stage2.epochs=3'),
    [3, 1e-4],
  );
  // MS MARCO names both, so the first changes neither.
  assert.deepEqual(second('paper', 'ms-marco', 'train.learningRate=1e-4', 'train.epochs=12'), [4, 1e-5]);
});

test('the presets where none is named: small for random weights, stage1 for two stages', () => {
  assert.deepEqual(
    [
      usualPresets('scratch'),
      usualPresets('scratch', 2),
      usualPresets('some/model'),
      usualPresets('some/model', 2),
    ],
    [['small'], ['small'], [], ['stage1']],
  );
});
