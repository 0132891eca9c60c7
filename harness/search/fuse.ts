/** One list of passages from those that several systems found: their scores are not of one scale. */
import { mean, standardDeviation } from '../statistics/summary.js';
import { BestPassages } from './best-passages.js';
import { noHits, type PassageHits } from './passage-hits.js';

export type Normalization = 'none' | 'min-max' | 'z-score';

export type Fusion =
  | { method: 'rrf'; constant: number }
  | { method: 'weighted'; weights: readonly number[]; normalization: Normalization };

/** What the hits of one list are worth. */
interface Worth {
  /** Of the hit at each place, from 0. */
  at(place: number): number;
  /** Of a passage that is not in the list. */
  absent: number;
}

/**
 * Reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009): a passage scores the sum over the lists that hold it of
 * 1 / (constant + rank), ranks from 1. Or the weighted sum of its scores, normalized list by list; a list that does not hold it
 * counts with its own lowest score, for the passage scores no more than that there.
 *
 * min-max is (s - min) / (max - min), 1 where all are equal; z-score is (s - mean) / standard deviation (over n - 1), 0 where all
 * are equal. Sums are rounded to float32; equal ones stay in the order of the collection.
 * @param lists of the same queries in the same order, one per system; `weights` is as long
 * @param depth hits per query that are kept
 */
export function fuseHits(lists: readonly PassageHits[], fusion: Fusion, depth: number): PassageHits {
  const queries = lists[0]?.counts.length ?? 0;
  if (lists.some(({ counts }) => counts.length !== queries)) throw new RangeError('lists of other queries');
  if (fusion.method === 'weighted' && fusion.weights.length !== lists.length)
    throw new RangeError(`${fusion.weights.length} weights for ${lists.length} lists`);
  const kept = Math.min(
    depth,
    lists.reduce((sum, list) => sum + list.depth, 0),
  );
  const fused = noHits(queries, kept);
  const best = new BestPassages(kept);
  for (let q = 0; q < queries; q++) {
    const worths = lists.map((list, i) => worthOf(list, q, fusion, i));
    for (const [ordinal, values] of valuesByPassage(lists, q, worths))
      best.offer(Math.fround(values.reduce((sum, value) => sum + value, 0)), ordinal);
    fused.counts[q] = best.take(fused.ordinals, fused.scores, q * kept);
  }
  return fused;
}

/** By ordinal, what each list gives the passage. */
function valuesByPassage(
  lists: readonly PassageHits[],
  q: number,
  worths: readonly Worth[],
): Map<number, Float64Array> {
  const found = new Map<number, Float64Array>();
  const absent = Float64Array.from(worths, (worth) => worth.absent);
  for (const [i, { depth, ordinals, counts }] of lists.entries()) {
    for (let place = 0; place < counts[q]!; place++) {
      const ordinal = ordinals[q * depth + place]!;
      let values = found.get(ordinal);
      if (values === undefined) {
        values = absent.slice();
        found.set(ordinal, values);
      }
      values[i] = worths[i]!.at(place);
    }
  }
  return found;
}

function worthOf({ depth, scores, counts }: PassageHits, q: number, fusion: Fusion, list: number): Worth {
  if (fusion.method === 'rrf') return { at: (place) => 1 / (fusion.constant + place + 1), absent: 0 };
  const weight = fusion.weights[list]!;
  const own = normalized(scores.subarray(q * depth, q * depth + counts[q]!), fusion.normalization);
  const lowest = fusion.normalization === 'min-max' ? 0 : (own.at(-1) ?? 0);
  return { at: (place) => weight * own[place]!, absent: weight * lowest };
}

/** @param scores the largest first */
function normalized(scores: Float32Array, normalization: Normalization): Float64Array {
  const values = Float64Array.from(scores);
  const [most, least] = [values[0] ?? 0, values.at(-1) ?? 0];
  if (normalization === 'none') return values;
  if (normalization === 'min-max')
    return values.map((value) => (most === least ? 1 : (value - least) / (most - least)));
  if (most === least) return values.fill(0);
  const [centre, deviation] = [mean(values), standardDeviation(values)!];
  return values.map((value) => (value - centre) / deviation);
}
