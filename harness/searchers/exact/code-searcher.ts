/** Searches codes of the rows, and compares with a query the vectors of those rows alone that are worth it. */
import { availableParallelism } from 'node:os';
import { BenchError } from '../../errors.js';
import type { VectorIndex } from '../../index/vector-index.js';
import { BestPassages } from '../../search/best-passages.js';
import { TopRows } from '../../search/merge.js';
import type { BuiltFile, RowHits, RowSearcher, SearchMeans } from '../../search/searcher.js';
import { placesOf, readLayout } from './code-file.js';
import type { Candidates } from './code-scan.js';
import { codingOf, type Kind, ownRescore } from './kinds.js';
import { LargestValues } from './largest-values.js';
import { codeQuery, signQuery } from './row-codes.js';
import { RowMemory } from './row-memory.js';
import { ScanThreads } from './scan-threads.js';

/** Queries scanned at once: what they find is held together. */
const largestBatch = 16;

export class CodeSearcher implements RowSearcher {
  readonly resident = true;
  readonly #index: VectorIndex;
  readonly #kind: Kind;
  readonly #width: number;
  readonly #scans: ScanThreads;
  /** Absent where scores are those of the codes. */
  readonly #memory: RowMemory | undefined;
  readonly #rescore: number;
  /** The threads serve one search at a time: others wait here. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    index: VectorIndex,
    { kind, width, rescore }: { kind: Kind; width: number; rescore: number },
    scans: ScanThreads,
    memory: RowMemory | undefined,
  ) {
    this.#index = index;
    this.#kind = kind;
    this.#width = width;
    this.#rescore = rescore;
    this.#scans = scans;
    this.#memory = memory;
  }

  /** @throws BenchError CONFIG_INVALID for a budget too small, CACHE_INVALID for a file or a shard that is damaged */
  static async open(
    index: VectorIndex,
    { file, parameter }: BuiltFile,
    kind: Kind,
    { engine, memoryBytes }: SearchMeans,
  ): Promise<CodeSearcher> {
    const { dimensions, vectors: rows } = index;
    const layout = await readLayout(file, { coding: codingOf(kind), dimensions, rows });
    const rescore = parameter?.value ?? ownRescore;
    const readsRows = kind === 'bounds' || rescore > 0;
    // Beside codes and vectors, a sum for each row, and what its score may be.
    const wanted = placesOf(layout).end + 12 * rows + (readsRows ? 4 * rows * dimensions : 0);
    if (wanted > memoryBytes) {
      throw new BenchError(
        'CONFIG_INVALID',
        `An index '${kind}' is searched in memory as a whole, and takes ${wanted} of the ${memoryBytes} bytes that vectors may take${readsRows ? ', with the vectors that are compared again' : ''}.`,
        {
          hint: `Allow more memory with search.memoryMiB, or use a kind that takes less: int8 or binary with index.rescore=0.`,
        },
      );
    }
    const memory = readsRows ? await RowMemory.read(index) : undefined;
    const scans = await ScanThreads.open(layout, Math.min(engine.threads, availableParallelism()));
    return new CodeSearcher(index, { kind, width: layout.width, rescore }, scans, memory);
  }

  search(queries: Float32Array, count: number, depth: number): Promise<RowHits> {
    const result = this.#last.then(() => this.#search(queries, count, depth));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #search(queries: Float32Array, count: number, depth: number): Promise<RowHits> {
    const { dimensions, vectors } = this.#index;
    const k = Math.min(depth, vectors);
    const top = new TopRows(count, k);
    if (k === 0) return top;
    const wanted =
      this.#kind === 'bounds'
        ? ({ rows: 'possible', depth: k } as const)
        : ({ rows: 'best', depth: Math.min(vectors, Math.max(k, this.#rescore)) } as const);
    for (let first = 0; first < count; first += largestBatch) {
      const asked = Array.from({ length: Math.min(largestBatch, count - first) }, (_, i) =>
        queries.subarray((first + i) * dimensions, (first + i + 1) * dimensions),
      );
      const coded = asked.map((query) =>
        this.#kind === 'binary' ? signQuery(query, this.#width) : codeQuery(query, this.#width),
      );
      const found = await this.#scans.find({ queries: coded, wanted });
      for (const [i, parts] of found.entries())
        this.#rank(top, first + i, asked[i]!, inOrder(parts), wanted.depth);
    }
    return top;
  }

  /** @param most how many of them are looked at, where they are the best and not all that are possible */
  #rank(top: TopRows, q: number, query: Float32Array, candidates: Candidates, most: number): void {
    const best = new BestPassages(top.depth);
    const least = new LargestValues(top.depth);
    const { rows, values } = candidates;
    this.#memory?.ask(query);
    const count = this.#kind === 'bounds' ? rows.length : Math.min(most, rows.length);
    for (let i = 0; i < count; i++) {
      // What comes now is no larger than this, and those held are larger: rounding keeps that order.
      if (this.#kind === 'bounds' && Math.fround(values[i]!) < least.least) break;
      const score = this.#memory === undefined ? values[i]! : this.#memory.product(rows[i]!);
      best.offer(score, rows[i]!);
      least.offer(score);
    }
    const [found, scores] = [new Int32Array(top.depth), new Float32Array(top.depth)];
    top.offer(q, scores, found, 0, best.take(found, scores, 0), 0);
  }

  async dispose(): Promise<void> {
    await this.#last;
    await this.#scans.end();
  }
}

/** Of all parts, the largest values first, among equals the first row: the same order however the rows were cut into parts. */
function inOrder(parts: readonly Candidates[]): Candidates {
  const count = parts.reduce((sum, { rows }) => sum + rows.length, 0);
  const [rows, values] = [new Float64Array(count), new Float64Array(count)];
  let at = 0;
  for (const part of parts) {
    rows.set(part.rows, at);
    values.set(part.values, at);
    at += part.rows.length;
  }
  const order = Uint32Array.from(rows, (_, i) => i).sort(
    (a, b) => values[b]! - values[a]! || rows[a]! - rows[b]!,
  );
  return {
    rows: Float64Array.from(order, (i) => rows[i]!),
    values: Float64Array.from(order, (i) => values[i]!),
  };
}
