/** Opening an index of terms. */
import type { SparseScoring } from '../contracts.js';
import { openBm25Index } from '../index/bm25-index.js';
import { Bm25Searcher } from '../search/bm25.js';

/** An open index and what searches it. Close the index. */
export async function openSparse(folder: string, { k1, b, lengths }: SparseScoring, memoryMiB: number) {
  const started = performance.now();
  const index = await openBm25Index(folder, memoryMiB * 2 ** 20);
  const searcher = await Bm25Searcher.open(index, { k1, b, lengths });
  return { index, searcher, buildSeconds: (performance.now() - started) / 1000 };
}
