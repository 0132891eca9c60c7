/**
 * Searches codes of the rows, and compares with a query the vectors of those rows alone that are worth it. In an index of bounds,
 * whose hits are those of Flat, several queries are multiplied with the vectors: those are read once for all of them, codes by each.
 */
import { availableParallelism } from 'node:os';
import { BenchError } from '../../errors.js';
import type { VectorIndex } from '../../index/vector-index.js';
import { BestPassages } from '../../search/best-passages.js';
import { TopRows } from '../../search/merge.js';
import type { BuiltFile, RowHits, RowSearcher, SearchMeans } from '../../search/searcher.js';
import { placesOf, readLayout } from './code-file.js';
import type { Candidates } from './code-scan.js';
import { ExactSearcher } from './flat.js';
import { HeldBlocks } from './held-blocks.js';
import { codingOf, type Kind, ownRescore } from './kinds.js';
import { LargestValues } from './largest-values.js';
import { codeQuery, signQuery } from './row-codes.js';
import { RowMemory } from './row-memory.js';
import { ScanThreads } from './scan-threads.js';

/** Queries scanned at once: what they find is held together. */
const scannedAtOnce = 16;
/** From so many on, queries are quicker together: the codes that they would read are as many bytes as the vectors. */
const leastTogether = 4;
/** In fewer rows it makes no difference. */
const leastRows = 8192;

export class CodeSearcher implements RowSearcher {
  readonly resident = true;
  readonly #index: VectorIndex;
  readonly #kind: Kind;
  readonly #width: number;
  readonly #scans: ScanThreads;
  /** Absent where queries are searched one by one, however many they are. */
  readonly #flat: ExactSearcher | undefined;
  /** Absent where scores are those of the codes. */
  readonly #memory: RowMemory | undefined;
  readonly #rescore: number;
  /** The threads serve one search at a time: others wait here. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    index: VectorIndex,
    { kind, width, rescore }: { kind: Kind; width: number; rescore: number },
    scans: ScanThreads,
    flat: ExactSearcher | undefined,
    memory: RowMemory | undefined,
  ) {
    this.#index = index;
    this.#kind = kind;
    this.#width = width;
    this.#rescore = rescore;
    this.#scans = scans;
    this.#flat = flat;
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
    const threads = Math.min(engine.threads, availableParallelism());
    const memory = readsRows ? await RowMemory.read(index) : undefined;
    // Other engines copy what they multiply, or send it to a device.
    const isTogether =
      kind === 'bounds' && rows >= leastRows && engine.name === 'onnx' && engine.device === 'cpu';
    const scans = await ScanThreads.open(layout, threads);
    const flat =
      memory && isTogether ? new ExactSearcher(index, engine, new HeldBlocks(memory, dimensions)) : undefined;
    return new CodeSearcher(index, { kind, width: layout.width, rescore }, scans, flat, memory);
  }

  async search(queries: Float32Array, count: number, depth: number): Promise<RowHits> {
    const result = this.#last.then(() => this.#search(queries, count, depth));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #search(queries: Float32Array, count: number, depth: number): Promise<RowHits> {
    const { dimensions, vectors } = this.#index;
    const k = Math.min(depth, vectors);
    const top = new TopRows(count, k);
    if (k === 0) return top;
    const rowOf = (q: number) => queries.subarray(q * dimensions, (q + 1) * dimensions);
    if (this.#flat !== undefined && count >= leastTogether) return this.#flat.search(queries, count, depth);
    for (let first = 0; first < count; first += scannedAtOnce) {
      const asked = Array.from({ length: Math.min(scannedAtOnce, count - first) }, (_, i) => first + i);
      await this.#scan(top, asked, rowOf);
    }
    return top;
  }

  /** @param asked queries that are scanned one by one */
  async #scan(top: TopRows, asked: readonly number[], rowOf: (q: number) => Float32Array): Promise<void> {
    const coded = asked.map((q) =>
      this.#kind === 'binary' ? signQuery(rowOf(q), this.#width) : codeQuery(rowOf(q), this.#width),
    );
    const most = Math.min(this.#index.vectors, Math.max(top.depth, this.#rescore));
    const isPossible = this.#kind === 'bounds';
    const wanted = isPossible
      ? ({ rows: 'possible', depth: top.depth } as const)
      : ({ rows: 'best', depth: most } as const);
    const found = await this.#scans.find({ queries: coded, wanted });
    for (const [i, q] of asked.entries()) {
      const parts = found[i]!;
      if (isPossible) this.#rankPossible(top, q, rowOf(q), parts);
      else this.#rankBest(top, q, rowOf(q), parts, most);
    }
  }

  /** Compares those that may be the highest, and then of the others those that may still be among the best. */
  #rankPossible(top: TopRows, q: number, query: Float32Array, parts: readonly Candidates[]): void {
    const [highest, least] = [new LargestValues(top.depth), new LargestValues(top.depth)];
    for (const { values } of parts) for (const value of values) highest.offer(value);
    const best = new BestPassages(top.depth);
    const products = this.#memory!.ask(query);
    // What scores are at most, rounded as they are: rounding keeps their order.
    const compare = (from: number, below?: number) => {
      const wanted: number[] = [];
      for (const { rows, values } of parts)
        for (let i = 0; i < rows.length; i++) {
          const value = Math.fround(values[i]!);
          if (value >= from && (below === undefined || value < below)) wanted.push(rows[i]!);
        }
      const scores = products(wanted);
      for (let i = 0; i < wanted.length; i++) {
        best.offer(scores[i]!, wanted[i]!);
        least.offer(scores[i]!);
      }
    };
    const first = Math.fround(highest.least);
    compare(first);
    compare(least.least, first);
    best.moveTo(top, q, 0);
  }

  /** @param most how many of them are compared again */
  #rankBest(top: TopRows, q: number, query: Float32Array, parts: readonly Candidates[], most: number): void {
    const chosen = new BestPassages(most);
    for (const { rows, values } of parts)
      for (const [i, row] of rows.entries()) chosen.offer(values[i]!, row);
    const [rows, values] = [new Int32Array(most), new Float32Array(most)];
    const count = chosen.take(rows, values, 0);
    const scores = this.#memory?.ask(query)(rows.subarray(0, count)) ?? values;
    const best = new BestPassages(top.depth);
    for (let i = 0; i < count; i++) best.offer(scores[i]!, rows[i]!);
    best.moveTo(top, q, 0);
  }

  async dispose(): Promise<void> {
    await this.#last;
    await this.#flat?.dispose();
    await this.#scans.end();
  }
}
