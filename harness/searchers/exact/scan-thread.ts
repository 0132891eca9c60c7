/** The thread that scans some parts of a file of codes. Started by scan-threads.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { BenchError } from '../../errors.js';
import { CodeScan } from './code-scan.js';
import type { ScanOrder, ThreadData, ThreadMessage } from './scan-threads.js';

const say = (message: ThreadMessage, moved: ArrayBuffer[] = []): void =>
  parentPort?.postMessage(message, moved);

try {
  const { layout, parts, areCopied } = workerData as ThreadData;
  const scans = parts.map(({ firstRow, rows }) => new CodeScan(layout, firstRow, rows));
  parentPort?.on('message', ({ queries, wanted }: ScanOrder) => {
    say({ found: queries.map((query) => scans.map((scan) => scan.find(query, wanted))) });
  });
  const copies = areCopied ? scans.map((scan) => scan.forProducts()) : [];
  const buffers = copies.flatMap(({ codes, facts }) => [codes.buffer, facts.buffer] as ArrayBuffer[]);
  say({ copies }, buffers);
} catch (error) {
  if (!(error instanceof BenchError)) throw error;
  say({ refused: error.sent });
}
