/** How long tasks take on so many workers that take what is ready in the order in which it became so; nothing is run. */

export interface ScheduledTask {
  readonly id: string;
  /** Ids of tasks, which stand before it. */
  readonly after: readonly string[];
}

export interface Schedule {
  /** From the first beginning to the last end. */
  readonly length: number;
  /** Of the workers' time. */
  readonly idleShare: number;
  /** The longest chain of tasks that wait for each other: no number of workers ends sooner. */
  readonly chain: number;
}

/**
 * @param lengthOf a task, in any unit
 * @throws RangeError for no workers, or a task that waits for what does not stand before it
 */
export function schedule<T extends ScheduledTask>(
  tasks: readonly T[],
  workers: number,
  lengthOf: (task: T) => number,
): Schedule {
  if (!(workers >= 1)) throw new RangeError(`${workers} workers`);
  const waiting = new Map<string, number>();
  const next = new Map<string, T[]>();
  const chains = new Map<string, number>();
  const ready: T[] = [];
  for (const task of tasks) {
    let longest = 0;
    for (const before of task.after) {
      const chain = chains.get(before);
      if (chain === undefined) throw new RangeError(`${task.id} waits for ${before}, which is not before it`);
      longest = Math.max(longest, chain);
      const behind = next.get(before);
      if (behind === undefined) next.set(before, [task]);
      else behind.push(task);
    }
    chains.set(task.id, longest + lengthOf(task));
    waiting.set(task.id, task.after.length);
    if (task.after.length === 0) ready.push(task);
  }
  const running: { end: number; task: T }[] = [];
  let [now, busy, taken] = [0, 0, 0];
  while (taken < ready.length || running.length > 0) {
    while (running.length < workers && taken < ready.length) {
      const task = ready[taken++]!;
      busy += lengthOf(task);
      running.push({ end: now + lengthOf(task), task });
    }
    let first = 0;
    for (let i = 1; i < running.length; i++) if (running[i]!.end < running[first]!.end) first = i;
    const [{ end, task }] = running.splice(first, 1) as [{ end: number; task: T }];
    now = end;
    for (const behind of next.get(task.id) ?? []) {
      const left = waiting.get(behind.id)! - 1;
      waiting.set(behind.id, left);
      if (left === 0) ready.push(behind);
    }
  }
  return {
    length: now,
    idleShare: now === 0 ? 0 : 1 - busy / (workers * now),
    chain: Math.max(0, ...chains.values()),
  };
}
