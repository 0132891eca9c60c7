/**
 * The process that opens one system and answers queries, one at a time, and is measured meanwhile: what it holds and takes is
 * that system's. It is told what to do by a message, answers by one, and ends with the process that began it.
 */
import { costs } from '../comparison/known-costs.js';
import type { Query } from '../contracts.js';
import type { AnsweringFacts, Figure } from '../record.js';
import type { Opening, OpenSystem } from './cell.js';
import { openSystem } from './opening.js';

/** What it is told. */
export interface AnsweringOrder {
  readonly opening: Opening;
  /** One or more. */
  readonly queries: readonly Query[];
  /** Of the engine; null where there is none. */
  readonly device: string | null;
  /** Whether every search reads the whole index: then one query is all that is answered. */
  readonly rereads: boolean;
}

/** What it says. */
export type AnsweringMessage =
  | { readonly state: 'measured'; readonly facts: AnsweringFacts }
  | { readonly state: 'failed'; readonly message: string };

/** Until programs are compiled and what they need is read. */
export const warmUpSeconds = 0.6;
/** A counter of energy moves every millisecond, the clock of processor time every four. */
export const measuredSeconds = 0.5;

async function measure({ opening, queries, device, rereads }: AnsweringOrder): Promise<AnsweringFacts> {
  const system = await openSystem(opening);
  const openSeconds = performance.now() / 1000;
  const warmup = rereads ? 0 : await answerFor(system, queries, warmUpSeconds);
  const meters = costs.flatMap(({ meter }) => meter ?? []);
  const begun = await Promise.all(meters.map((meter) => meter.begin()));
  const started = performance.now();
  const answered = await answerFor(system, queries, rereads ? 0 : measuredSeconds);
  const seconds = (performance.now() - started) / 1000;
  const found: Record<string, Figure> = {};
  // While the system is still open: what it holds is asked for, too.
  for (const read of begun) Object.assign(found, await read({ queries: answered, seconds, device }));
  await system.close();
  return { queries: answered, warmup, openSeconds, seconds, costs: found };
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

process.once('disconnect', () => process.exit(1));
process.once('message', async (order: AnsweringOrder) => {
  let message: AnsweringMessage;
  try {
    message = { state: 'measured', facts: await measure(order) };
  } catch (error) {
    message = { state: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
  process.send!(message, () => process.exit(0));
});
