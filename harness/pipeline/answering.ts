/** Memory, processor time and energy of a system that answers, measured in a process of its own. */
import { type ChildProcess, fork } from 'node:child_process';
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
  if (opening === undefined)
    return not(
      record.device.queryVectors === 'network'
        ? 'its queries get their vectors over the network'
        : 'no other process can open this system',
    );
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
  const stop = () => child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-10_000);
  });
  let message: AnsweringMessage | undefined;
  child.on('message', (given) => {
    message = given as AnsweringMessage;
  });
  // Where it is gone already, its end says so.
  child.send(order, () => undefined);
  const end = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, by) => resolve(by === null ? `exit code ${code}` : by));
  });
  signal.removeEventListener('abort', stop);
  const last = said.trim().split('\n').at(-1) ?? '';
  return message ?? { state: 'failed', message: `it ended with ${end}${last === '' ? '' : `: ${last}`}` };
}
