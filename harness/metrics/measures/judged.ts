import type { MeasureFamily } from '../measure.js';

/**
 * How far the other measures can be trusted: what nobody judged counts as not relevant with them, and a system unlike those
 * whose hits were judged finds more of it. ir_measures' Judged@k: over the hits that there are, where these are fewer than k;
 * but what has a grade below 0 is not judged, as for trec_eval, where ir_measures counts it.
 */
const judged: MeasureFamily = {
  describe: (k) =>
    `share of the first ${k} hits that somebody judged, relevant or not; 0 where there are no hits`,
  needs: 'qrels',
  cut: 'required',
  higherIsBetter: true,
  unit: 'share',
  byHand: { 'judged@1': 0, 'judged@4': 3 / 4, 'judged@10': 4 / 5 },
  score({ judged: known, hitCount }, cut) {
    const looked = known.subarray(0, Math.min(hitCount, cut));
    return looked.reduce((count, each) => count + each, 0) / Math.max(1, looked.length);
  },
};

export default judged;
