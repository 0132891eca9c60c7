/** A tiny run as far as its shards: what comes before them is made. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { silentProgress } from '../harness/progress.js';
import { runTask } from '../harness/tasks/run-task.js';
import { cellTasks, type Task } from '../harness/tasks/task.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

export const quiet = () => ({ progress: silentProgress(), failed: {} });

/** Four pieces, with all that they wait for made. @param here gets `data` and `cache` */
export async function begunPieces(
  here: string,
  architecture = 'dual-encoder',
): Promise<{ store: string; pieces: readonly Task[] }> {
  await writeTinyCollection(path.join(here, 'data'));
  const store = path.join(here, 'cache');
  const request = tinyRequest(here, architecture, 1, 'encode.shardPassages=8');
  const [cell] = (await cellTasks([request])) as [Task];
  for (;;) {
    const outcome = await runTask(cell, { store, ...quiet() });
    assert.ok(outcome.state === 'waits');
    if (outcome.for.every(({ piece }) => piece !== undefined)) return { store, pieces: outcome.for };
    for (const task of outcome.for) await runTask(task, { store, ...quiet() });
  }
}
