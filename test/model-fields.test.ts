/** What a config.json may say, at the first and last value of each kind of field, and how a fault reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigFields, mostLayers } from '../harness/model/fields.js';

/** What was read of a field `x`, and the faults that were found. */
function reading(value: unknown, read: (fields: ConfigFields) => unknown): [unknown, string[]] {
  const fields = new ConfigFields(value === undefined ? {} : { x: value });
  const found = read(fields);
  try {
    fields.check('made');
    return [found, []];
  } catch (error) {
    const [title, ...faults] = (error as Error).message.split('\n');
    assert.equal(title, 'This made configuration cannot be used:');
    assert.equal((error as { code?: string }).code, 'CHECKPOINT_INVALID');
    return [found, faults.map((fault) => fault.replace(/^ {2}- /, ''))];
  }
}

/** Those of some values that are taken as they are; every other gives one fault, which shows the value. */
function taken(values: readonly unknown[], read: (fields: ConfigFields) => unknown): unknown[] {
  return values.filter((value) => {
    const [found, faults] = reading(value, read);
    if (faults.length === 0) assert.equal(found, value);
    else
      assert.ok(faults.length === 1 && faults[0]!.startsWith(`x is ${JSON.stringify(value)}`), faults.join());
    return faults.length === 0;
  });
}

test('a count is a whole number from the least to the most', () => {
  const most = 2 ** 24;
  const values = [-1, 0, 1, 1.5, 2, most, most + 1, '3', true, []];
  assert.deepEqual(
    taken(values, (fields) => fields.count('x')),
    [1, 2, most],
  );
  assert.deepEqual(
    taken(values, (fields) => fields.count('x', 7, 0)),
    [0, 1, 2, most],
  );
  assert.deepEqual(
    taken(values, (fields) => fields.count('x', 7, 2, 2)),
    [2],
  );
  assert.deepEqual(
    taken([0, 1, mostLayers, mostLayers + 1], (fields) => fields.layers('x')),
    [1, 4096],
  );
  const told = (value: unknown, ...more: [number?, number?, number?]) =>
    reading(value, (fields) => fields.count('x', ...more));
  assert.deepEqual(told(undefined, 7), [7, []]);
  assert.deepEqual(told(null, 7), [7, []]);
  assert.deepEqual(told(undefined), [1, ['x is missing and must be a whole number of at least 1']]);
  assert.deepEqual(told(9, 7, 2, 8), [2, ['x is 9 and must be a whole number from 2 to 8']]);
  assert.deepEqual(told(1, 7, 2, 8), [2, ['x is 1 and must be a whole number of at least 2']]);
});

test('an epsilon is above 0 and at most 1, a rate from 0 to below 1, a number finite and no less than asked', () => {
  const values = [-0.1, 0, 1e-12, 0.999, 1, 1.001, '0.5'];
  assert.deepEqual(
    taken(values, (fields) => fields.epsilon('x', 0.5)),
    [1e-12, 0.999, 1],
  );
  assert.deepEqual(
    taken(values, (fields) => fields.rate('x', 0.5)),
    [0, 1e-12, 0.999],
  );
  assert.deepEqual(
    taken(values, (fields) => fields.number('x', 5, 1)),
    [1, 1.001],
  );
  assert.deepEqual(
    taken([null], (fields) => fields.number('x', 5, 1)),
    [],
  );
  for (const read of ['epsilon', 'rate'] as const) {
    assert.deepEqual(
      reading(undefined, (fields) => fields[read]('x', 0.25)),
      [0.25, []],
    );
    assert.equal(reading(2, (fields) => fields[read]('x', 0.25))[0], 0.25);
  }
  assert.deepEqual(
    reading(undefined, (fields) => fields.number('x', 5, 1)),
    [5, []],
  );
  assert.deepEqual(
    reading(0, (fields) => fields.number('x', 5, 1)),
    [5, ['x is 0 and must be a number of at least 1']],
  );
});

test('flags, words, and what must be said as it is', () => {
  assert.deepEqual(
    taken([true, false, 0, 'true'], (fields) => fields.flag('x', true)),
    [true, false],
  );
  assert.deepEqual(
    reading(undefined, (fields) => fields.flag('x', true)),
    [true, []],
  );
  assert.deepEqual(
    reading(1, (fields) => fields.flag('x', true)),
    [true, ['x is 1 and must be true or false']],
  );
  const word = (fields: ConfigFields) => fields.word('x', ['a', 'b'], 'b');
  assert.deepEqual(taken(['a', 'b', 'A', 1], word), ['a', 'b']);
  assert.deepEqual(reading(undefined, word), ['b', []]);
  assert.deepEqual(reading('c', word), ['b', ['x is "c"; supported: a, b']]);
  const same = (expected: boolean) => (fields: ConfigFields) => fields.same('x', expected);
  assert.deepEqual(
    [undefined, null, false, true].map((value) => reading(value, same(false))[1].length),
    [0, 0, 0, 1],
  );
  assert.deepEqual(
    [undefined, null, false, true].map((value) => reading(value, same(true))[1].length),
    [0, 0, 1, 0],
  );
});

test('what must fit together: parts of a whole, a token of the words, positions behind padding', () => {
  const faults = (read: (fields: ConfigFields) => void) => reading(undefined, read)[1];
  assert.deepEqual(
    faults((fields) => fields.divides('heads', 3, 'width', 9)),
    [],
  );
  assert.deepEqual(
    faults((fields) => fields.divides('heads', 3, 'width', 10)),
    ['width 10 cannot be divided by heads 3'],
  );
  assert.deepEqual(
    faults((fields) => fields.isToken('pad', 4, 5)),
    [],
  );
  assert.deepEqual(
    faults((fields) => fields.isToken('pad', 5, 5)),
    ['pad 5 is outside a vocabulary of 5'],
  );
  assert.deepEqual(
    faults((fields) => fields.leavesPositions(3, 1)),
    [],
  );
  assert.equal(faults((fields) => fields.leavesPositions(2, 1)).length, 1);
});

test('another model of the same weights is refused: each sign of one by itself', () => {
  const faultsOf = (config: object) => {
    const fields = new ConfigFields(config as Record<string, unknown>);
    fields.refuseDecoder();
    try {
      fields.check('made');
      return 0;
    } catch (error) {
      return (error as Error).message.split('\n').length - 1;
    }
  };
  for (const harmless of [
    {},
    { is_decoder: false, add_cross_attention: false, pruned_heads: {}, quantization_config: null },
    { auto_map: { AutoConfig: 'a.B' } },
    { is_decoder: null, pruned_heads: null, auto_map: {} },
  ])
    assert.equal(faultsOf(harmless), 0, JSON.stringify(harmless));
  const signs = {
    is_decoder: true,
    add_cross_attention: true,
    pruned_heads: { 0: [1] },
    quantization_config: { bits: 8 },
    auto_map: { AutoModel: 'a.B' },
  };
  for (const [name, value] of Object.entries(signs)) assert.equal(faultsOf({ [name]: value }), 1, name);
  assert.equal(faultsOf(signs), 5);
});

test('of a long value a hundred letters are shown', () => {
  const shown = (length: number) =>
    /x is (.*) and must/.exec(reading('y'.repeat(length), (fields) => fields.flag('x', true))[1][0]!)![1];
  assert.equal(shown(98), `"${'y'.repeat(98)}"`);
  assert.equal(shown(99), `"${'y'.repeat(99)}...`);
});
