/** Scans a file of codes with several threads, each of which holds its own rows: what is found does not depend on how many they are. */
import { Worker } from 'node:worker_threads';
import { BenchError, type SentError } from '../../errors.js';
import type { CodeLayout } from './code-file.js';
import { CodePart, type Found, findIn, type Part, type ScanOrder } from './code-part.js';
import { type Candidates, rowsAtMost } from './code-scan.js';

export interface ThreadData {
  layout: CodeLayout;
  parts: readonly Part[];
}

export type ThreadMessage =
  | { ready: true }
  | { refused: SentError }
  /** By part. */
  | { found: Found[] };

/** A thread is worth starting for so many bytes of codes: those are scanned while a message goes there and back. */
const leastBytes = 1 << 20;

/** Parts by thread. */
export function partsOf({ rows, width }: Pick<CodeLayout, 'rows' | 'width'>, threads: number): Part[][] {
  const used = Math.max(1, Math.min(threads, Math.floor((rows * width) / leastBytes)));
  const perPart = Math.min(rowsAtMost({ width }), Math.ceil(rows / used));
  const parts: Part[] = [];
  for (let firstRow = 0; firstRow < rows; firstRow += perPart)
    parts.push({ firstRow, rows: Math.min(perPart, rows - firstRow) });
  return Array.from({ length: used }, (_, thread) => parts.filter((_, i) => i % used === thread));
}

export class ScanThreads {
  /** Scanned by the thread that asks. */
  readonly #own: readonly CodePart[];
  readonly #others: readonly OtherThread[];

  private constructor(own: readonly CodePart[], others: readonly OtherThread[]) {
    this.#own = own;
    this.#others = others;
  }

  /** @throws BenchError CACHE_INVALID for a file that is damaged */
  static async open(layout: CodeLayout, threads: number): Promise<ScanThreads> {
    const [own, ...others] = partsOf(layout, threads);
    const started = others.map((parts) => new OtherThread({ layout, parts }));
    try {
      const scans = own!.map((part) => new CodePart(layout, part));
      await Promise.all(started.map((other) => other.ready));
      return new ScanThreads(scans, started);
    } catch (error) {
      await Promise.all(started.map((other) => other.end()));
      throw error;
    }
  }

  /** By query, what was found in each part; undefined for a query that is to be searched alone. One call at a time. */
  async find(order: ScanOrder): Promise<(Candidates[] | undefined)[]> {
    const asked = this.#others.map((other) => other.find(order));
    const all = [findIn(this.#own, order), ...asked];
    // A thread still at work would answer the next call.
    await Promise.allSettled(all);
    const parts = (await Promise.all(all)).flat();
    return parts[0]!.map((_, q) => {
      const found = parts.flatMap((part) => part[q] ?? []);
      return found.length === parts.length ? found : undefined;
    });
  }

  async end(): Promise<void> {
    await Promise.all(this.#others.map((other) => other.end()));
    for (const part of this.#own) await part.dispose();
  }
}

/** A thread, which keeps nobody waiting at the end of the program but while it is asked. */
class OtherThread {
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  #answer: ((message: ThreadMessage) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  constructor(data: ThreadData) {
    this.#worker = new Worker(new URL('./scan-thread.js', import.meta.url), { workerData: data });
    this.#worker.on('message', (message: ThreadMessage) => this.#answer?.(message));
    this.#worker.on('error', (error) => this.#fail?.(error));
    this.#worker.on('exit', (code) => this.#fail?.(new Error(`a thread of the search ended with ${code}`)));
    this.ready = this.#next().then((message) => {
      if ('refused' in message) throw BenchError.received(message.refused);
    });
    // Whoever opens it waits for it later than it may fail.
    void this.ready.catch(() => undefined);
  }

  async find(order: ScanOrder): Promise<Found[]> {
    const next = this.#next();
    this.#worker.postMessage(order);
    const message = await next;
    if ('refused' in message) throw BenchError.received(message.refused);
    return (message as { found: Found[] }).found;
  }

  async #next(): Promise<ThreadMessage> {
    this.#worker.ref();
    try {
      return await new Promise<ThreadMessage>((resolve, reject) => {
        this.#answer = resolve;
        this.#fail = reject;
      });
    } finally {
      this.#worker.unref();
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
