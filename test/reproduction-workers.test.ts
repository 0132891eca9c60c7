/** What a grid takes on many machines: its tasks, and how long they take on so many workers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reproduceCommand } from '../harness/cli/reproduce.js';
import { stream } from '../harness/random.js';
import { loadReproduction } from '../harness/reproduction/files.js';
import { type GridOptions, gridOf } from '../harness/reproduction/grid.js';
import { gridTasks, onWorkers } from '../harness/reproduction/grid-tasks.js';
import { type ScheduledTask, schedule } from '../harness/reproduction/schedule.js';

const options = (scale: 'paper' | 'small', ...set: string[]): GridOptions => ({
  ...{ scale, dataset: 'sample', folders: new Map(), models: new Map(), offline: true },
  ...{ cwd: process.cwd(), flags: {}, set },
});

const gridNamed = async (name: string, scale: 'paper' | 'small' = 'paper', ...set: string[]) =>
  gridOf(loadReproduction(name), options(scale, ...set));

const made = (id: string, length: number, ...after: string[]) => ({ id, length, after });
const lengthOf = ({ length }: { length: number }) => length;

test('workers take what is ready, and stand idle where nothing is', () => {
  const three = ['a', 'b', 'c'].map((id) => made(id, 1));
  assert.deepEqual(schedule(three, 2, lengthOf), { length: 2, idleShare: 0.25, chain: 1 });
  const chain = [made('a', 1), made('b', 2, 'a'), made('c', 3, 'b')];
  assert.deepEqual(schedule(chain, 3, lengthOf), { length: 6, idleShare: 1 - 6 / 18, chain: 6 });
  // d begins when c ends, at 3, and a stands beside.
  const joined = [made('a', 4), made('b', 1), made('c', 2, 'b'), made('d', 1, 'b', 'c')];
  assert.deepEqual(schedule(joined, 2, lengthOf), { length: 4, idleShare: 0, chain: 4 });
  // In their order: the longest, taken first, would leave 3.
  const late = [made('a', 1), made('b', 1), made('c', 3)];
  assert.deepEqual(schedule(late, 2, lengthOf), { length: 4, idleShare: 1 - 5 / 8, chain: 3 });
  assert.deepEqual(schedule([], 2, lengthOf), { length: 0, idleShare: 0, chain: 0 });
  assert.throws(() => schedule(three, 0, lengthOf), RangeError);
  assert.throws(() => schedule([made('b', 1, 'a'), made('a', 1)], 1, lengthOf), /waits for a/);
});

test('no order of taking is longer than the work shared out and the longest chain together, or shorter than either', () => {
  const numbers = stream(7, 'graphs');
  const whole = (below: number) => numbers.integer(below);
  for (let trial = 0; trial < 50; trial++) {
    const tasks: (ScheduledTask & { length: number })[] = [];
    for (let i = 0; i < 30; i++) {
      const after = [...new Set(Array.from({ length: whole(3) }, () => whole(Math.max(1, i))))];
      tasks.push(made(String(i), 1 + whole(9), ...(i === 0 ? [] : after.map(String))));
    }
    const workers = 1 + whole(5);
    const all = tasks.reduce((sum, { length }) => sum + length, 0);
    const { length, idleShare, chain } = schedule(tasks, workers, lengthOf);
    assert.ok(length >= Math.max(chain, all / workers) && length <= all / workers + chain);
    assert.ok(Math.abs(idleShare - (1 - all / (workers * length))) < 1e-12);
    if (workers === 1) assert.equal(length, all);
  }
});

test('table 2 is 24 runs of a training, 211 shards and what is left; the hours are those of its plan', async () => {
  const grid = await gridNamed('table2');
  const { tasks, unknown } = await gridTasks(grid);
  const kinds = { train: 0, encode: 0, cell: 0 };
  for (const { kind } of tasks) kinds[kind]++;
  assert.deepEqual(kinds, { train: 24, encode: 24 * 211, cell: 24 });
  assert.equal(unknown, 0);
  const first = tasks.find(({ kind }) => kind === 'cell')!;
  assert.equal(first.after.length, 211);
  // 60.1 GiB: 21,015,324 x 768 x 4 bytes.
  assert.equal(first.readsBytes, 21_015_324 * 768 * 4);
  const alone = await onWorkers(grid, 1);
  // The plan says 1,588 to 2,978 GPU hours.
  assert.deepEqual(alone.hours!.map(Math.round), [1588, 2978]);
  assert.ok(Math.abs(alone.idleShare!) < 1e-9);
  assert.equal(alone.diskBytes, 24 * 21_015_324 * 768 * 4);
  assert.equal(alone.readBytes, 2 * alone.diskBytes);
  const many = await onWorkers(grid, 5000);
  // More workers than tasks: the longest chain is all that is left, a training and one shard.
  assert.ok(Math.abs(many.hours![1] - many.chainHours![1]) < 1e-9);
  assert.deepEqual(many.chainHours!.map(Math.round), [36, 68]);
});

test('a training that many runs evaluate is one task; a second one waits for shards of the first', async () => {
  const { tasks } = await gridTasks(await gridNamed('table2', 'paper', 'stages=2'));
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const cell = tasks.find(({ kind }) => kind === 'cell')!;
  const chain = [cell];
  while (chain.at(-1)!.after.length > 0) chain.push(byId.get(chain.at(-1)!.after[0]!)!);
  assert.deepEqual(
    chain.map(({ kind }) => kind),
    ['cell', 'encode', 'train', 'encode', 'train'],
  );
  assert.equal(new Set(tasks.map(({ id }) => id)).size, tasks.length);
  const transferred = await gridTasks(await gridNamed('table5'));
  const ids = new Set(transferred.tasks.map(({ id }) => id));
  for (const { after } of transferred.tasks) for (const id of after) assert.ok(ids.has(id), id);
});

test('at the scale small there are tasks and bytes, and no hours', async () => {
  const { hours, chainHours, idleShare, tasks, diskBytes } = await onWorkers(
    await gridNamed('table2', 'small'),
    2,
  );
  assert.deepEqual([hours, chainHours, idleShare], [null, null, null]);
  assert.ok(tasks > 3 && diskBytes > 0);
});

const command = reproduceCommand(
  () => assert.fail('nothing is made'),
  async ({ runs }) => ({ runs: runs.map(() => null), seconds: 0, unknown: runs.length, reasons: [] }),
);

test('the plan says it for so many workers, as text and as data', async () => {
  let text = '';
  const print = (more: string) => {
    text += more;
  };
  const values = { 'dry-run': true, workers: '16', offline: true };
  assert.equal(await command.run(values, ['table2'], print), 0);
  assert.match(text, /^16 workers: 5,112 tasks; \d+ to \d+ hours, with a V100 each, \d+\.\d % of them idle/m);
  assert.match(text, /^shared disk: 1\.4 TiB of bare vectors/m);
  assert.match(text, /^bytes moved: 1\.4 TiB of vectors written to it, 2\.8 TiB read/m);
  text = '';
  await command.run({ ...values, json: true }, ['table2'], print);
  const { shared } = JSON.parse(text) as { shared: { workers: number; tasks: number } };
  assert.deepEqual([shared.workers, shared.tasks], [16, 5112]);
  text = '';
  await command.run({ 'dry-run': true, offline: true }, ['table2'], print);
  assert.doesNotMatch(text, /workers/);
  await assert.rejects(command.run({ workers: '16' }, ['table2'], print), { code: 'USAGE' });
  await assert.rejects(command.run({ ...values, workers: '0' }, ['table2'], print), { code: 'USAGE' });
});
