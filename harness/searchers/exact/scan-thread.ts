/** The thread that scans some parts of a file of codes. Started by scan-threads.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { BenchError } from '../../errors.js';
import { CodeScan } from './code-scan.js';
import type { ScanOrder, ThreadData, ThreadMessage } from './scan-threads.js';

const say = (message: ThreadMessage): void => parentPort?.postMessage(message);

try {
  const { layout, parts } = workerData as ThreadData;
  const scans = parts.map(({ firstRow, rows }) => new CodeScan(layout, firstRow, rows));
  parentPort?.on('message', ({ queries, wanted }: ScanOrder) => {
    say({ found: queries.map((query) => scans.map((scan) => scan.find(query, wanted))) });
  });
  say({ ready: true });
} catch (error) {
  if (!(error instanceof BenchError)) throw error;
  say({ refused: error.sent });
}
