/**
 * The process that times systems which were made elsewhere: started by fresh-process.ts, told by a message what to time, and ended
 * when it has told what came of it.
 */
import { BenchError, foreignFault } from '../errors.js';
import { workAsOrdered } from '../program/own-process.js';
import { silentProgress } from '../progress.js';
import type { FreshMessage, FreshOrder, FreshSystem } from './fresh-process.js';
import { timeSingles, warmUp } from './open-timing.js';
import { loadCodeOf, openSystem } from './opening.js';
import { dropFromPageCache } from './page-cache.js';

const progress = silentProgress();

/** All that can be opened take turns. */
async function timeWarm(order: FreshOrder): Promise<FreshSystem[]> {
  const { openings, names, queries, warmup, rereads, seed, threads } = order;
  const found: (FreshSystem | undefined)[] = openings.map(() => undefined);
  const open = [];
  for (const [i, opening] of openings.entries()) {
    try {
      const system = await openSystem(opening, { progress, ...(threads !== undefined && { threads }) });
      const each = { name: names[i]!, rereads, system };
      open.push({ ...each, at: i });
      await warmUp(each, queries, progress);
    } catch (error) {
      found[i] = failureOf(error);
      if (open.at(-1)?.at === i) await open.pop()!.system.close();
    }
  }
  const measured = open.length === 0 ? [] : await timeSingles(open, queries, { warmup, seed }, progress);
  for (const { system } of open) await system.close();
  for (const [o, { at }] of open.entries()) {
    const { parts, warnings } = measured[o]!;
    const samples = Object.entries(parts).map(([part, { samplesMs }]) => [part, samplesMs] as const);
    found[at] = { state: 'warm', partsMs: Object.fromEntries(samples), warnings };
  }
  return found as FreshSystem[];
}

/** The process has loaded its code and has opened nothing of the system yet. */
async function timeCold({ openings: [opening], queries }: FreshOrder): Promise<FreshSystem> {
  await loadCodeOf(opening!);
  const pageCache = await dropFromPageCache(opening!.folders);
  const started = performance.now();
  const { parts, close } = await openSystem(opening!, { progress });
  const openMs = performance.now() - started;
  const samplesMs: number[] = [];
  for (const query of queries) {
    const from = performance.now();
    let value: unknown = query;
    for (const part of parts) value = await part.run(value as never);
    samplesMs.push(performance.now() - from);
  }
  await close();
  return { state: 'cold', pageCache, openMs, samplesMs };
}

function failureOf(thrown: unknown): FreshSystem {
  const error = foreignFault(thrown);
  if (error instanceof BenchError) return { state: 'failed', ...error.sent };
  return { state: 'broken', stack: (error instanceof Error && error.stack) || String(error) };
}

workAsOrdered<FreshOrder, FreshMessage>(async (order) => {
  try {
    return { systems: order.cold ? [await timeCold(order)] : await timeWarm(order) };
  } catch (error) {
    return { systems: order.openings.map(() => failureOf(error)) };
  }
});
