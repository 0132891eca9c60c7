/** The fuzzer finds each kind of fault, goes on behind it, and gives the same input again. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { stream } from '../harness/random.js';
import { builtProgram, keepCount, keptCounts } from './fuzz/kept-counts.js';
import { allLoaders, type Loader } from './fuzz/loader.js';
import { mutated, mutatedInput } from './fuzz/mutations.js';
import type { SavedInput } from './fuzz/outcome.js';
import { type LoaderCount, replay, runRound } from './fuzz/round.js';
import { tableOf } from './fuzz/table.js';
import { WatchedChild } from './fuzz/watched-child.js';

const from = path.join(import.meta.dirname, 'fuzz', 'faulty');
const faulty = new Map((await allLoaders(from)).map((loader) => [loader.name, loader]));
const folder = mkdtempSync(path.join(tmpdir(), 'strata-fuzz-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function round(name: string, inputs: number): Promise<LoaderCount> {
  const loaders: readonly Loader[] = [faulty.get(name)!];
  // A heap that fills is collected for over a second on some machines, and is no hang.
  const hangSeconds = name === 'hang' ? 1 : undefined;
  const limits = { ...(hangSeconds === undefined ? {} : { hangSeconds }), children: 1 };
  const request = { loaders, seeds: [3], inputs, seconds: 600, folder, from, ...limits };
  const [count] = await runRound({ ...request, onLoader: () => undefined });
  return count!;
}

test('what is refused with a code of the loader is no fault', async () => {
  const count = await round('sound', 30);
  assert.deepEqual([count.inputs, count.refused, count.faults], [30, { DATA_INVALID: 30 }, []]);
});

test('inputs without a time to stop at go through one block, not through one block each', async () => {
  const child = new WatchedChild(path.join(folder, 'block'), from);
  const block = { loader: 'sound', seed: 3, from: 0, to: 30, untilMs: Number.POSITIVE_INFINITY };
  const ended = await child.run(block, () => undefined);
  await child.close();
  assert.equal('result' in ended && ended.result.done, 30);
});

const kinds: Readonly<Record<string, string>> = {
  ...{ error: 'error', later: 'error', code: 'code', result: 'result' },
  ...{ death: 'death', heap: 'memory', outside: 'outside', elsewhere: 'error', beside: 'outside' },
};
for (const [name, kind] of Object.entries(kinds)) {
  test(`the loader '${name}' has the fault '${kind}', at each of its inputs`, async () => {
    const count = await round(name, 3);
    assert.equal(count.inputs, 3);
    assert.deepEqual(
      count.faults.map(({ fault }) => fault.kind),
      [kind],
    );
  });
}

test('memory and open files beyond the limits are faults', {
  skip: process.platform !== 'linux',
}, async () => {
  // What cannot be had is an error of the allocation, what can is seen from outside.
  const { faults } = await round('memory', 1);
  assert.match(faults[0]!.fault.signature, /memory|Array buffer allocation failed/);
  const opened = await round('open files', 1);
  assert.deepEqual(
    opened.faults.map(({ fault }) => fault.kind),
    ['open files'],
  );
});

test('an input that hangs is ended, found again by a replay, and saved', async () => {
  const count = await round('hang', 1);
  assert.deepEqual(
    count.faults.map(({ fault }) => fault.kind),
    ['hang'],
  );
  const saved = JSON.parse(readFileSync(count.faults[0]!.file, 'utf8')) as SavedInput;
  assert.deepEqual([saved.loader, saved.seed, saved.number], ['hang', 3, 0]);
});

test('a saved input is given again, and is no fault once there is none', async () => {
  await round('error', 2);
  const name = readdirSync(folder).find((file) => file.startsWith('error-'))!;
  const saved = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as SavedInput;
  const again = await replay(saved, folder, from);
  assert.deepEqual(
    again.map(({ kind }) => kind),
    ['error'],
  );
  assert.deepEqual(await replay({ ...saved, loader: 'sound' }, folder, from), []);
});

test('an input is that of its seed and number, whatever was drawn before it', () => {
  const valid = [{ a: Buffer.from('{"a": [1, 2, {"b": "c"}]}'), b: Buffer.from('1 Q0 d1 1 0.5 x\n') }];
  const numbers = Array.from({ length: 1000 }, (_, number) => number);
  const input = (seed: number, number: number) => mutatedInput(valid, stream(seed, 'fuzz', 'x', number));
  const forth = numbers.map((number) => input(1, number));
  const back = numbers.toReversed().map((number) => input(1, number));
  assert.deepEqual(back.toReversed(), forth);
  assert.notDeepEqual(
    numbers.map((number) => input(2, number)),
    forth,
  );
});

test('members that come twice, deep nesting, numbers beyond all bounds and broken UTF-8 are among the inputs', () => {
  const made = Array.from({ length: 4000 }, (_, number) =>
    mutated(Buffer.from('{"a": [1, 2, {"b": "c"}], "d": 3}'), stream(1, 'mutations', number)).toString(
      'latin1',
    ),
  );
  for (const pattern of [/"a":.*"a":/, /\[{1000}/, /1e999/, /__proto__/, /\xff|\xc0\x80/, /\0/, /^$/])
    assert.ok(
      made.some((text) => pattern.test(text)),
      String(pattern),
    );
});

test('the table counts the inputs of all seeds', () => {
  const count = { accepted: 2, refused: {}, slowestMs: 1, memoryMiB: 90, faults: [], unrepeated: [] };
  const text = tableOf(
    [1, 2].map((seed) => ({ loader: 'a', seed, inputs: 1500, ...count })),
    [1, 2],
  );
  assert.match(text, /^3,000 inputs, seeds 1 and 2\./);
  assert.match(text, /\| a \| 3,000 \| 4 \| 1 \| 90 \| 0 \|/);
});

test('a round that was stopped goes on behind the loaders that were counted', async () => {
  const file = path.join(folder, 'kept', 'counts.jsonl');
  const kept = { seeds: [3, 4], inputs: 20, program: builtProgram() };
  assert.deepEqual(keptCounts(file, kept), []);
  const request = { loaders: [faulty.get('sound')!], seeds: [3, 4], inputs: 20, seconds: 600, folder, from };
  const ran: number[] = [];
  const onLoader = (count: LoaderCount) => {
    ran.push(count.seed);
    keepCount(file, count);
  };
  await runRound({ ...request, seeds: [3], children: 1, onLoader });
  // Killed in the middle of a line.
  writeFileSync(file, `${readFileSync(file, 'utf8')}{"loader":"sou`);
  const counts = await runRound({ ...request, children: 1, counted: keptCounts(file, kept), onLoader });
  assert.deepEqual(ran, [3, 4]);
  assert.deepEqual(
    counts.map(({ seed, inputs }) => [seed, inputs]),
    [
      [3, 20],
      [4, 20],
    ],
  );
  assert.deepEqual(keptCounts(file, kept), counts);
  assert.throws(() => keptCounts(file, { ...kept, inputs: 21 }), /holds the counts of another round/);
  assert.throws(() => keptCounts(file, { ...kept, program: 'another' }), /holds the counts of another round/);
});
