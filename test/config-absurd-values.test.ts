/** Values of the command line that no machine could serve: each is refused as a mistake of the configuration, or can be kept. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import { configSchema, keyPaths, nodeAt, type SchemaNode } from '../harness/config/schema.js';
import { BenchError } from '../harness/errors.js';

const absurd = [
  '-1',
  '0',
  '0.5',
  '1e9',
  '1e12',
  '1e308',
  '1e999',
  'NaN',
  'null',
  'x',
  '[]',
  '{}',
  '[1e12]',
  '',
];

/** The parts of a schema that numbers can be right for. */
function numbersIn(node: SchemaNode): SchemaNode[] {
  const own = [node.type ?? []].flat().some((type) => type === 'integer') ? [node] : [];
  return [...own, ...(node.anyOf ?? []).flatMap(numbersIn), ...(node.items ? numbersIn(node.items) : [])];
}

test('every key with every absurd value: a configuration, or CONFIG_INVALID that names the key', () => {
  let refused = 0;
  for (const key of keyPaths(configSchema())) {
    for (const value of absurd) {
      try {
        loadConfig({ cwd: tmpdir(), set: [`${key}=${value}`] });
      } catch (error) {
        assert.ok(error instanceof BenchError, `${key}=${value}: ${(error as Error).stack}`);
        assert.ok(['CONFIG_INVALID', 'USAGE'].includes(error.code), `${key}=${value}: ${error.code}`);
        assert.ok(error.message.includes(key.split('.').at(-1)!), `${key}=${value}: ${error.message}`);
        refused++;
      }
    }
  }
  assert.ok(refused > 400, `${refused} refused`);
});

test('every whole number has a largest', () => {
  for (const key of keyPaths(configSchema())) {
    for (const node of numbersIn(nodeAt(key.split('.'))!)) {
      const { minimum, maximum } = node;
      assert.ok(minimum !== undefined && maximum !== undefined && maximum <= Number.MAX_SAFE_INTEGER, key);
    }
  }
});

test('what is too large or too small is named with its bounds', () => {
  const refused = (set: string | string[], message: RegExp) =>
    assert.throws(() => loadConfig({ cwd: tmpdir(), set: [set].flat() }), {
      code: 'CONFIG_INVALID',
      message,
    });
  refused(
    'train.batchSize=1e12',
    /train\.batchSize: 1000000000000 is not a whole number from 1 up to 1048576/,
  );
  refused('arch.vectors=1e9', /arch\.vectors: 1000000000 is not a whole number from 1 up to 1048576/);
  refused(
    'model.scratch.layers=1e9',
    /model\.scratch\.layers: 1000000000 is not a whole number from 1 up to 256/,
  );
  refused('threads=1e9', /threads: 1000000000 is not a whole number from 1 up to 1024/);
  refused(
    'latency.batchSizes=[1e9]',
    /latency\.batchSizes\[0\]: 1000000000 is not a whole number from 1 up to 65536/,
  );
  refused('latency.rates=10,0', /latency\.rates\[1\]: 0 is not a number above 0 up to 1000000/);
  refused('latency.rates=-5', /latency\.rates\[0\]: -5 is not a number above 0/);
  refused('latency.clients=0', /latency\.clients\[0\]: 0 is not a whole number from 1 up to 65536/);
  refused('latency.bound=0', /latency\.bound: 0 is not a number above 0 up to 86400000, or null/);
  refused(
    ['latency.bound=20', 'latency.loadQueries=999'],
    /latency\.loadQueries: 999, and latency\.bound is 20: p99 takes 1,000 queries/,
  );
  refused('latency.processes=0', /latency\.processes: 0 is not a whole number from 1 up to 1000/);
});
