/**
 * The process that times systems which were made elsewhere: started by fresh-process.ts, told by a message what to time, and ended
 * when it has told what came of it.
 */
import type { Query } from '../contracts.js';
import { BenchError, foreignFault } from '../errors.js';
import { silentProgress } from '../progress.js';
import type { FreshMessage, FreshOrder, FreshSystem } from './fresh-process.js';
import { timeSingles, warmUp } from './open-timing.js';
import { dropFromPageCache } from './page-cache.js';
import { datasetOf, type Reopened, reopen } from './reopened.js';

const progress = silentProgress();

async function timed(order: FreshOrder): Promise<FreshSystem[]> {
  const session = await datasetOf(order.requests[0]!, progress);
  const asked = new Map((await session.dataset.queries('test')).map((query) => [query.queryId, query]));
  const queries = order.queryIds.map((queryId) => {
    const query = asked.get(queryId);
    if (query !== undefined) return query;
    throw new BenchError('DATA_INVALID', `The test queries have no '${queryId}' any more.`, {
      hint: 'Leave the files of the dataset alone while it is run.',
    });
  });
  const systems: (Reopened | FreshSystem)[] = [];
  for (const request of order.requests)
    systems.push(await reopen(request, session, progress).catch((error) => failureOf(error)));
  return order.cold ? [await timeCold(systems[0]!, queries)] : timeWarm(order, systems, queries);
}

/** All that can be opened take turns. */
async function timeWarm(
  { names, requests, rereads, seed }: FreshOrder,
  systems: readonly (Reopened | FreshSystem)[],
  queries: readonly Query[],
): Promise<FreshSystem[]> {
  const found = systems.map((system) => ('open' in system ? undefined : system));
  const open = [];
  for (const [i, system] of systems.entries()) {
    if (!('open' in system)) continue;
    try {
      const each = { name: names[i]!, rereads, system: await system.open() };
      open.push({ ...each, at: i });
      await warmUp(each, queries, progress);
    } catch (error) {
      found[i] = failureOf(error);
      if (open.at(-1)?.at === i) await open.pop()!.system.close();
    }
  }
  const warmup = rereads ? 0 : requests[0]!.config.latency.warmup;
  const measured = open.length === 0 ? [] : await timeSingles(open, queries, { warmup, seed }, progress);
  for (const { system } of open) await system.close();
  for (const [o, { at }] of open.entries()) {
    const { parts, warnings } = measured[o]!;
    const samples = Object.entries(parts).map(([part, { samplesMs }]) => [part, samplesMs] as const);
    found[at] = { state: 'warm', partsMs: Object.fromEntries(samples), warnings };
  }
  return found as FreshSystem[];
}

/** The process has looked its stages up and has answered nothing yet. */
async function timeCold(system: Reopened | FreshSystem, queries: readonly Query[]): Promise<FreshSystem> {
  if (!('open' in system)) return system;
  try {
    const pageCache = await dropFromPageCache(system.folders);
    const started = performance.now();
    const { parts, close } = await system.open();
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
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(thrown: unknown): FreshSystem & { state: 'failed' } {
  const error = foreignFault(thrown);
  if (error instanceof BenchError) {
    const { code, message, hint } = error;
    return { state: 'failed', code, message, ...(hint !== undefined && { hint }) };
  }
  return { state: 'failed', message: (error instanceof Error && error.stack) || String(error) };
}

// Whoever started it says when it ends: Ctrl-C comes to both, and one that is gone asks for nothing.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(1));
process.once('message', async (order: FreshOrder) => {
  const message: FreshMessage = await timed(order).then(
    (systems) => ({ systems }),
    (error) => ({ systems: order.requests.map(() => failureOf(error)) }),
  );
  process.send!(message, () => process.exit(0));
});
