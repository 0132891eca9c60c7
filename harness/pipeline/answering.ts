/** Memory, processor time and energy of a system that answers, measured in a process of its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { endOf } from '../program/own-process.js';
import type { Progress } from '../progress.js';
import type { AnsweringFacts } from '../record.js';
import type { AnsweringMessage, AnsweringOrder } from './answering-order.js';
import type { Cell } from './cell.js';
import { chosenQueries } from './timing.js';

const module = new URL('./answering-process.js', import.meta.url);

/** What its record says of it; with the reason where it is not measured, be it that the process failed. */
export interface MeasuredAnswering {
  readonly facts: AnsweringFacts;
  /** Absent where nothing was tried. */
  readonly seconds?: number;
}

/** @throws BenchError INTERRUPTED */
export async function measureAnswering(cell: Cell, progress: Progress): Promise<MeasuredAnswering> {
  const { opening, record, request, rereads } = cell;
  const { answering, latency } = request.config;
  if (!answering.measure) return not('turned off by answering.measure');
  const queries = chosenQueries(cell.queries, latency.queries, request.seed);
  if (queries.length === 0) return not('no query is timed, see latency.queries');
  if (cell.untimed !== undefined) return not(cell.untimed);
  if (record.device.queryVectors === 'network') return not('its queries get their vectors over the network');
  const stage = progress.stage(`answer in a process of its own: ${request.architecture}`);
  const started = performance.now();
  const order = { opening, queries, device: record.device.device, rereads };
  const message = await answerOf(
    fork(module, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }),
    order,
    progress.signal,
  );
  progress.checkInterrupted();
  stage.end();
  const seconds = (performance.now() - started) / 1000;
  if (message.state === 'measured') return { facts: message.facts, seconds };
  return { ...not(`its process failed: ${message.message}`), seconds };
}

const not = (notMeasured: string): MeasuredAnswering => ({ facts: { notMeasured, costs: {} } });

/** @param child runs `answering-process.js`, with a channel for messages */
export async function answerOf(
  child: ChildProcess,
  order: AnsweringOrder,
  signal: AbortSignal,
): Promise<AnsweringMessage> {
  const { last, ended, words } = await endOf<AnsweringMessage>(child, { order, signal });
  return last ?? { state: 'failed', message: `it ended before it was done (${ended}, ${words})` };
}
