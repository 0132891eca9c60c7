/** Scans a file of codes with several threads, each of which holds its own rows: what is found does not depend on how many they are. */
import { BenchError, type SentError } from '../../errors.js';
import { AskedThread } from '../../program/asked-thread.js';
import type { CodeLayout } from './code-file.js';
import { type Candidates, CodeScan, rowsAtMost, type ScanQuery, type Wanted } from './code-scan.js';

interface Part {
  firstRow: number;
  rows: number;
}

export interface ThreadData {
  layout: CodeLayout;
  parts: readonly Part[];
}

export interface ScanOrder {
  queries: readonly ScanQuery[];
  wanted: Wanted;
}

export type ThreadMessage =
  | { ready: true }
  | { refused: SentError }
  /** By query and part. */
  | { found: Candidates[][] };

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
  readonly #own: readonly CodeScan[];
  readonly #others: readonly OtherThread[];

  private constructor(own: readonly CodeScan[], others: readonly OtherThread[]) {
    this.#own = own;
    this.#others = others;
  }

  /** @throws BenchError CACHE_INVALID for a file that is damaged */
  static async open(layout: CodeLayout, threads: number): Promise<ScanThreads> {
    const [own, ...others] = partsOf(layout, threads);
    const started = others.map((parts) => new OtherThread({ layout, parts }));
    try {
      const scans = own!.map(({ firstRow, rows }) => new CodeScan(layout, firstRow, rows));
      await Promise.all(started.map(({ ready }) => ready));
      return new ScanThreads(scans, started);
    } catch (error) {
      await Promise.all(started.map((other) => other.end()));
      throw error;
    }
  }

  /** By query, what was found in each part. One call at a time. */
  async find(order: ScanOrder): Promise<Candidates[][]> {
    const asked = this.#others.map((other) => other.find(order));
    const own = order.queries.map((query) => this.#own.map((scan) => scan.find(query, order.wanted)));
    const theirs = await Promise.all(asked);
    return own.map((parts, q) => [...parts, ...theirs.flatMap((found) => found[q]!)]);
  }

  async end(): Promise<void> {
    await Promise.all(this.#others.map((other) => other.end()));
  }
}

class OtherThread {
  readonly ready: Promise<unknown>;
  readonly #thread: AskedThread<ScanOrder, ThreadMessage>;

  constructor(data: ThreadData) {
    this.#thread = new AskedThread(
      new URL('./scan-thread.js', import.meta.url),
      'a thread of the search',
      data,
    );
    this.ready = answered(this.#thread.next());
    // Whoever opens it waits for it later than it may fail.
    void this.ready.catch(() => undefined);
  }

  async find(order: ScanOrder): Promise<Candidates[][]> {
    return ((await answered(this.#thread.ask(order))) as { found: Candidates[][] }).found;
  }

  end(): Promise<void> {
    return this.#thread.end();
  }
}

async function answered(given: Promise<ThreadMessage>): Promise<ThreadMessage> {
  const message = await given;
  if ('refused' in message) throw BenchError.received(message.refused);
  return message;
}
