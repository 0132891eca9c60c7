import type { MeasureFamily } from '../measure.js';

/** Of the example, whose relevant passages have relevance 3, 2, 1 and 1. */
const ideal = 3 + 2 / Math.log2(3) + 1 / 2 + 1 / Math.log2(5);

/**
 * trec_eval's ndcg and ndcg_cut (Järvelin and Kekäläinen 2002): the gain is the relevance itself, the discount
 * log2(rank + 1), the ideal ranking is made of all qrels. The relevance threshold plays no part.
 */
const ndcg: MeasureFamily = {
  describe: (k) =>
    `normalised discounted cumulative gain${k === undefined ? '' : ` of the first ${k} hits`}, linear gains`,
  needs: 'qrels',
  cut: 'optional',
  higherIsBetter: true,
  unit: 'share',
  byHand: {
    ndcg: (1 / Math.log2(3) + 3 / Math.log2(5) + 1 / Math.log2(6)) / ideal,
    'ndcg@2': 1 / Math.log2(3) / (3 + 2 / Math.log2(3)),
    'ndcg@4': (1 / Math.log2(3) + 3 / Math.log2(5)) / ideal,
  },
  trecName: { whole: 'ndcg', cut: 'ndcg_cut' },
  score({ gains, idealGains }, cut) {
    const ideal = discounted(idealGains, cut);
    return ideal > 0 ? discounted(gains, cut) / ideal : 0;
  },
};

function discounted(gains: Float64Array, cut: number): number {
  const end = Math.min(gains.length, cut);
  let sum = 0;
  for (let i = 0; i < end; i++) sum += gains[i]! / Math.log2(i + 2);
  return sum;
}

export default ndcg;
