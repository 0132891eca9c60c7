/** Some rows of a file of codes, searched by one thread. */
import { openEngine } from '../../tensor/engines.js';
import { CodeBatches } from './code-batches.js';
import type { CodeLayout } from './code-file.js';
import { type Candidates, CodeScan, type ScanQuery, type Wanted } from './code-scan.js';

export interface Part {
  firstRow: number;
  rows: number;
}

/** Queries one by one, or several for the possible rows of which all rows are gone through once: each [D]. */
export type ScanOrder =
  | { queries: readonly ScanQuery[]; wanted: Wanted }
  | { together: readonly Float32Array[]; depth: number };

/** By query; undefined for one that is to be searched alone. */
export type Found = (Candidates | undefined)[];

/** By part. */
export async function findIn(parts: readonly CodePart[], order: ScanOrder): Promise<Found[]> {
  const found: Found[] = [];
  for (const part of parts) found.push(await part.find(order));
  return found;
}

export class CodePart {
  readonly #layout: CodeLayout;
  readonly #part: Part;
  readonly #scan: CodeScan;
  #batches: Promise<CodeBatches> | undefined;

  /** @throws BenchError CACHE_INVALID for a file that is damaged */
  constructor(layout: CodeLayout, part: Part) {
    this.#layout = layout;
    this.#part = part;
    this.#scan = new CodeScan(layout, part.firstRow, part.rows);
  }

  async find(order: ScanOrder): Promise<Found> {
    if ('queries' in order) return order.queries.map((query) => this.#scan.find(query, order.wanted));
    this.#batches ??= this.#open();
    return (await this.#batches).find(order.together, order.depth);
  }

  /** Each thread multiplies its own rows: what is chosen among them is chosen by all threads at once. */
  async #open(): Promise<CodeBatches> {
    const engine = await openEngine('onnx', { threads: 1 });
    const { firstRow, rows } = this.#part;
    return new CodeBatches(this.#layout, firstRow, rows, await engine.codeProducts!());
  }

  async dispose(): Promise<void> {
    await (await this.#batches?.catch(() => undefined))?.dispose();
  }
}
