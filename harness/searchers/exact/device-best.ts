/** The best rows of a run of blocks, found on the device in one program: these rows and their scores are all that travels. */
import { orderTies, type TopRows } from '../../search/merge.js';
import * as tf from '../../tensor/operations.js';
import { groupRows } from './block-plan.js';
import { feedsOf, firstGroup, type Run, type RunPrograms } from './device-run.js';
import { besideOf } from './near-scores.js';
import type { Batch } from './score-steps.js';

/**
 * Offers the best rows of a run of which every score is finite, and which has more than `depth` groups.
 *
 * Of equal scores a device takes which it likes, so more rows than are wanted are asked for, and those that score as the last
 * of them are not counted. All others are there: k groups are looked into, each has a row that scores no less than any row of
 * another group, and so do the k best of their rows.
 * @returns queries of the batch whose best rows may not all be among those
 */
export async function offerFound(
  programs: RunPrograms,
  top: TopRows,
  run: Run,
  batch: Batch,
): Promise<number[]> {
  const k = Math.min(run.groups, top.depth + besideOf(top.depth));
  // Copies of the last row, which fill its group up, push out no other.
  const width = k + run.groups * groupRows - run.rows;
  const program = await programs.of(run, `best ${k} ${width}`, (scores) => bestOf(scores, k, width));
  const found = await program.run(feedsOf(run, batch));
  const [scores, places, groups] = found as [Float32Array, Int32Array, Int32Array];
  const left: number[] = [];
  // Of one query, as a device gives them: the larger score first.
  const best = { rows: new Float64Array(k), scores: new Float32Array(k) };
  for (let q = 0; q < batch.size; q++) {
    const least = top.leastScore(batch.first + q);
    let count = 0;
    let enters = true;
    for (let i = q * width; i < (q + 1) * width && count < k && enters; i++) {
      const score = scores[i]!;
      enters = score >= least;
      const place = places[i]!;
      const row = groups[q * k + (place % k)]! * groupRows + Math.floor(place / k);
      if (!enters || row >= run.rows) continue;
      best.rows[count] = row;
      best.scores[count++] = score;
    }
    // Behind one that cannot enter nothing can. Else rows that are not there may have the score of the last that is.
    const last = best.scores[count - 1];
    while (enters && count > 0 && best.scores[count - 1] === last) count--;
    if (enters && count < top.depth) {
      left.push(q);
      continue;
    }
    orderTies(best.scores, best.rows, 0, count);
    top.offer(
      batch.first + q,
      best.scores,
      best.rows,
      0,
      Math.min(count, top.depth),
      run.blocks[0]!.firstRow,
    );
  }
  return left;
}

/** Scores [Q, 64, G] -> the largest of k groups [Q, width], the larger first, their places among 64 k, and these groups [Q, k]. */
function bestOf(scores: tf.Tensor, k: number, width: number): tf.Tensor[] {
  const [queries, , groups] = scores.shape as [number, number, number];
  const { indices: chosen } = tf.topk(tf.max(scores, 1), k);
  const queryAt = Int32Array.from({ length: queries }, (_, q) => q * groupRows * groups);
  const groupAt = tf.add(tf.tensor(queryAt, [queries, 1, 1], 'int32'), firstGroup(groups));
  const at = tf.add(groupAt, tf.expandDims(chosen, 1));
  const those = tf.gather(tf.reshape(scores, [-1]), at);
  const { values, indices } = tf.topk(tf.reshape(those, [queries, groupRows * k]), width);
  return [values, indices, chosen];
}
