/** The tasks of a table of the paper through a real queue, with times that are made. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paperTasks, simulate } from '../harness/perf/made-tasks.js';
import { programMissing, startRedis } from './queue-servers.js';

test('every task of the grid is done once, what others wait for first, by no more than the workers there are', {
  skip: programMissing('redis-server', 'redis-server') ?? false,
}, async () => {
  const tasks = await paperTasks(2, 'encode.shardPassages=5000000');
  // 2 seeds x 24 runs x (a training, 5 shards, what is left).
  assert.equal(tasks.length, 2 * 24 * 7);
  const server = await startRedis();
  try {
    const { done, failed, mostAtOnce } = await simulate(server.url, tasks, 4, ({ kind }) =>
      kind === 'train' ? 3 : 1,
    );
    assert.deepEqual(failed, {});
    assert.deepEqual([...done.values()], new Array(tasks.length).fill(1));
    const order = [...done.keys()];
    const place = new Map(order.map((id, i) => [id, i]));
    for (const { id, after } of tasks)
      for (const before of after) assert.ok(place.get(before)! < place.get(id)!, `${before} ${id}`);
    assert.ok(mostAtOnce <= 4, String(mostAtOnce));
  } finally {
    await server.stop();
  }
});
