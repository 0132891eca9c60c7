/** In this process: which groups of rows hold the best, by the largest score of each, and the best of their rows. */
import { BestPassages } from '../../search/best-passages.js';
import type { TopRows } from '../../search/merge.js';
import { groupRows } from './block-plan.js';
import type { Run } from './device-run.js';
import type { Batch } from './score-steps.js';

/** Queries of a batch that are searched, by their places in it. */
export interface Asked extends Batch {
  asked: readonly number[];
}

/** What a score must be to enter, by query asked. */
export const leastScores = (top: TopRows, { first, asked }: Asked): Float32Array =>
  Float32Array.from(asked, (q) => top.leastScore(first + q));

/**
 * For each query the `depth` first groups, in the order of their largest scores, and of equal ones of their rows. These hold
 * the `depth` best rows: before a row of another group comes, from each of them, the row with its largest score, which is
 * larger, or equal and of a group whose rows are all before.
 * @param largest scores of the groups [asked, G]
 * @returns their numbers [asked, width], how many they are by query, and what a row of them must score
 */
export function chosenGroups(top: TopRows, groups: number, asked: Asked, largest: Float32Array) {
  const { depth } = top;
  const found = new Int32Array(asked.asked.length * depth);
  const scores = new Float32Array(depth);
  const leasts = leastScores(top, asked);
  const counts = Array.from(leasts, (least, q) => {
    const held = new BestPassages(depth);
    // What cannot enter need not travel.
    let enters = least;
    for (let group = 0; group < groups; group++) {
      const score = largest[q * groups + group]!;
      if (!(score >= enters)) continue;
      held.offer(score, group);
      if (held.isFull) enters = held.leastScore;
    }
    // So many groups have a row that scores no less.
    leasts[q] = enters;
    return held.take(found.subarray(q * depth), scores, 0);
  });
  // After the first blocks few groups may enter: as many are asked for as are needed, in few widths, each of which is a program.
  const most = Math.max(...counts);
  const width = most === 0 ? 0 : Math.min(depth, 2 ** Math.ceil(Math.log2(most)));
  const chosen = new Int32Array(counts.length * width);
  for (const [q, count] of counts.entries())
    chosen.set(found.subarray(q * depth, q * depth + count), q * width);
  return { chosen, counts, width, leasts };
}

/** Offers the rows of a group, whose scores stand so far apart from each other. */
type OfferGroup = (group: number, scores: Float32Array, at: number, apart: number) => void;

/** @param leasts what a score must be to enter, by query asked */
export function offerBest(
  top: TopRows,
  run: Run,
  { first, asked, leasts }: Asked & { leasts: Float32Array },
  each: (i: number, offer: OfferGroup) => void,
): void {
  for (const [i, least] of leasts.entries()) {
    const held = new BestPassages(top.depth);
    let enters = least;
    each(i, (group, scores, at, apart) => {
      const firstRow = group * groupRows;
      const count = Math.min(groupRows, run.rows - firstRow);
      for (let i = 0; i < count; i++) {
        const score = scores[at + i * apart]!;
        // What is no number is no hit.
        if (!(score >= enters)) continue;
        held.offer(score, firstRow + i);
        if (held.isFull) enters = held.leastScore;
      }
    });
    held.moveTo(top, first + asked[i]!, run.blocks[0]!.firstRow);
  }
}
