import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { type ConfigRequest, loadConfig } from '../harness/config/config.js';
import { BenchError } from '../harness/errors.js';

const folder = mkdtempSync(path.join(tmpdir(), 'bench-mistakes-'));
after(() => rmSync(folder, { recursive: true }));

function errorOf(request: Omit<ConfigRequest, 'cwd'>): BenchError {
  try {
    loadConfig({ cwd: folder, ...request });
  } catch (error) {
    assert.ok(error instanceof BenchError, String(error));
    return error;
  }
  return assert.fail('nothing was thrown');
}

function fileOf(name: string, text: string): string {
  writeFileSync(path.join(folder, name), text);
  return name;
}

test('all mistakes of all sources are told at once, each with its path, value and source', () => {
  const file = fileOf('many.json', '{ "train": { "epochz": 3, "dropout": 1.5 }, "seads": [1], "arch": 7 }');
  const { code, exitCode, message } = errorOf({
    file,
    flags: { seeds: 'abc', engine: 'onxx' },
    set: ['epochs=2', 'search.depth=-1', 'arch.lambda=0.1,-1'],
  });
  assert.equal(code, 'CONFIG_INVALID');
  assert.equal(exitCode, 2);
  const [heading, ...lines] = message.split('\n').map((line) => line.trim());
  assert.equal(heading, 'The configuration has 9 mistakes:');
  assert.deepEqual(
    new Set(lines),
    new Set([
      "train.epochz: there is no such key, did you mean 'epochs'?; its value is 3 (many.json)",
      'train.dropout: 1.5 is not a number of 0 or more and below 1 (many.json)',
      "seads: there is no such key, did you mean 'seeds'?; its value is [1] (many.json)",
      'arch: 7 is not a section with the keys layers, vectors, lambda, maskShort, meanFirst, similarity (many.json)',
      'seeds: "abc" is not a list of one or more different values, each a whole number from 0 up to 4294967295 (--seeds abc)',
      `engine: "onxx" is not one of "auto", "onnx", "tensorflow", "tfjs-cpu"; did you mean 'onnx'? (--engine onxx)`,
      "epochs: there is no such key, did you mean 'train.epochs'?; its value is 2 (--set epochs=2)",
      'search.depth: -1 is not a whole number from 1 up to 1000000 (--set search.depth=-1)',
      'arch.lambda: [0.1,-1] is not a number of 0 or more, or a list of one or more different values, each a number of 0 or more, or null (--set arch.lambda=0.1,-1)',
    ]),
  );
});

test('wrong values of every kind', () => {
  const cases: [string, RegExp][] = [
    ['arch.lambda=NaN', /arch\.lambda: "NaN" is not a number/],
    ['arch.lambda=1e999', /arch\.lambda: Infinity is not a number/],
    ['arch.lambda=', /arch\.lambda: ""/],
    ['arch.vectors=0', /arch\.vectors: 0 is not a whole number from 1 up to 1048576, or null/],
    ['arch.layers=', /arch\.layers: "" is not a list/],
    ['arch.layers=[]', /arch\.layers: \[\]/],
    ['arch.layers=1,1', /arch\.layers: \[1,1\]/],
    ['arch.layers=unifrom', /did you mean 'uniform'/],
    ['seeds=1,1', /seeds: \[1,1\] is not a list of one or more different values/],
    ['seeds=1.5', /seeds\[0\]: 1\.5 is not a whole number/],
    ['train.clipNorm=0', /train\.clipNorm: 0 is not a number above 0, or null/],
    ['model.name=', /model\.name: "" is not a text that is not empty/],
    ['model.tied=yes', /model\.tied: "yes" is not true or false/],
    ['train=5', /train: 5 is not a section/],
    ['train.epochs.x=5', /train\.epochs: \{"x":5\} is not a whole number/],
    ['__proto__.polluted=1', /__proto__: there is no such key/],
    ['preset=papers', /did you mean 'paper'/],
    [
      'preset=papers,small,msmacro,xyz',
      /preset: .*; there is no 'papers', did you mean 'paper'\?, there is no 'msmacro', did you mean 'msmarco'\?, there is no 'xyz' \(/,
    ],
    ['preset=paper,paper', /preset: \["paper","paper"\] is not .*different values/],
    [
      'model.scratch.heads=3',
      /model\.scratch\.dimensions: 128 is not a multiple of model\.scratch\.heads, which is 3/,
    ],
    [
      'measures=recall@1000',
      /measures\[0\]: "recall@1000" needs 1000 hits per query, but search\.depth is 100/,
    ],
  ];
  for (const [setting, expected] of cases)
    assert.match(errorOf({ set: [setting] }).message, expected, setting);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

test('--set without a value, and files that cannot be used', () => {
  assert.equal(errorOf({ set: ['train.epochs'] }).code, 'USAGE');
  assert.equal(errorOf({ set: ['=3'] }).code, 'USAGE');
  assert.equal(errorOf({ file: 'nowhere.json' }).code, 'PATH_INVALID');
  assert.equal(errorOf({ file: '.' }).code, 'PATH_INVALID');
  const cut = errorOf({ file: fileOf('cut.json', '{ "train": {') });
  assert.equal(cut.code, 'CONFIG_INVALID');
  assert.match(cut.message, /cut\.json cannot be read as JSON/);
  assert.match(errorOf({ file: fileOf('list.json', '[1]') }).message, /the whole: \[1\] is not a section/);
});

test('a file of another kind is refused in a message that can be read, whatever it holds', () => {
  const long = 'x'.repeat(100_000);
  const keys = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${i}`, i]));
  const wrong = {
    ...keys,
    [long]: 1,
    measures: [1, long],
    preset: [JSON.parse('{"toString":1}'), ['small']],
    train: { [long]: {} },
    model: { name: { [long]: 1 } },
  };
  const { code, message } = errorOf({
    file: fileOf('other.json', JSON.stringify(wrong)),
    set: [`seeds=${long}`],
  });
  assert.equal(code, 'CONFIG_INVALID');
  assert.ok(message.length < 40_000, `${message.length} characters`);
  assert.match(message, /has 50\d\d mistakes:[\s\S]*and 49\d\d more$/);
});
