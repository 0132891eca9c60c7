/**
 * The process that opens one system and answers queries, one at a time, and is measured meanwhile: what it holds and takes is
 * that system's. It is told what to do by a message, answers by one, and ends with the process that began it.
 */
import type { CostColumn, Meter } from '../comparison/cost.js';
import { costs } from '../comparison/known-costs.js';
import type { Query } from '../contracts.js';
import { workAsOrdered } from '../program/own-process.js';
import { silentProgress } from '../progress.js';
import type { AnsweringFacts, Figure } from '../record.js';
import {
  type AnsweringMessage,
  type AnsweringOrder,
  measuredSeconds,
  warmUpSeconds,
} from './answering-order.js';
import type { OpenSystem } from './cell.js';
import { openSystem } from './opening.js';

async function measure({ opening, queries, device, rereads }: AnsweringOrder): Promise<AnsweringFacts> {
  const system = await openSystem(opening, { progress: silentProgress() });
  const openSeconds = performance.now() / 1000;
  const warmup = rereads ? 0 : await answerFor(system, queries, warmUpSeconds);
  const begun = await Promise.all(
    costs.flatMap(({ meter, columns }) => (meter === undefined ? [] : beginOf(meter, columns([])))),
  );
  const started = performance.now();
  const answered = await answerFor(system, queries, rereads ? 0 : measuredSeconds);
  const seconds = (performance.now() - started) / 1000;
  const found: Record<string, Figure> = {};
  // The last begun first, so that reading one is not in the others; while the system is open, since what it holds is asked for.
  for (const read of begun.reverse())
    Object.assign(found, await read({ queries: answered, seconds, device }));
  await system.close();
  return { queries: answered, warmup, openSeconds, seconds, costs: found };
}

/** Where one meter fails, its columns say so, and those of the others have their figures. */
async function beginOf(meter: Meter, columns: readonly CostColumn[]): ReturnType<Meter['begin']> {
  const failed = (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    const own = columns.filter(({ of }) => of === undefined);
    return Object.fromEntries(own.map(({ id }) => [id, { value: null, reason }]));
  };
  try {
    const read = await meter.begin();
    return (answered) => read(answered).catch(failed);
  } catch (error) {
    return async () => failed(error);
  }
}

/** Goes through the queries until so much time is over, and answers one at least. @returns how many it answered */
async function answerFor({ parts }: OpenSystem, queries: readonly Query[], seconds: number): Promise<number> {
  const started = performance.now();
  let answered = 0;
  do {
    let value: unknown = queries[answered % queries.length];
    for (const part of parts) value = await part.run(value as never);
    answered++;
  } while (performance.now() - started < 1000 * seconds);
  return answered;
}

workAsOrdered<AnsweringOrder, AnsweringMessage>((order) =>
  measure(order).then(
    (facts) => ({ state: 'measured', facts }),
    (error) => ({ state: 'failed', message: error instanceof Error ? error.message : String(error) }),
  ),
);
