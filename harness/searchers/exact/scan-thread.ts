/** The thread that scans some parts of a file of codes. Started by scan-threads.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { BenchError } from '../../errors.js';
import { CodePart, findIn, type ScanOrder } from './code-part.js';
import type { ThreadData, ThreadMessage } from './scan-threads.js';

const say = (message: ThreadMessage): void => parentPort?.postMessage(message);

/** What is no refusal ends the thread. */
function refuse(error: unknown): void {
  if (!(error instanceof BenchError)) throw error;
  say({ refused: error.sent });
}

try {
  const { layout, parts } = workerData as ThreadData;
  const opened = parts.map((part) => new CodePart(layout, part));
  parentPort?.on('message', (order: ScanOrder) => {
    void findIn(opened, order).then((found) => say({ found }), refuse);
  });
  say({ ready: true });
} catch (error) {
  refuse(error);
}
