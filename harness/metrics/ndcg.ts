import type { MeasureFamily } from './measure.js';

/**
 * trec_eval's ndcg and ndcg_cut (Järvelin and Kekäläinen 2002): the gain is the relevance itself, the discount
 * log2(rank + 1), the ideal ranking is made of all qrels. The relevance threshold plays no part.
 */
export const ndcg: MeasureFamily = {
  name: 'ndcg',
  describe: (k) =>
    `normalised discounted cumulative gain${k === undefined ? '' : ` of the first ${k} hits`}, linear gains`,
  needs: 'qrels',
  cut: 'optional',
  higherIsBetter: true,
  trecName: { whole: 'ndcg', cut: 'ndcg_cut' },
  score({ gains, idealGains }, cut) {
    const ideal = discounted(idealGains, cut);
    return ideal > 0 ? discounted(gains, cut) / ideal : 0;
  },
};

function discounted(gains: Float64Array, cut: number): number {
  let sum = 0;
  for (let i = 0; i < gains.length && i < cut; i++) {
    const gain = gains[i]!;
    if (gain > 0) sum += gain / Math.log2(i + 2);
  }
  return sum;
}
