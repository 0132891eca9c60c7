import type { MeasureFamily } from '../measure.js';

/** trec_eval's recip_rank; with a cut-off, MS MARCO's MRR@k. */
const reciprocalRank: MeasureFamily = {
  describe: (k) =>
    `reciprocal rank of the first relevant hit${k === undefined ? '' : ` among the first ${k}`}`,
  needs: 'qrels',
  cut: 'optional',
  higherIsBetter: true,
  unit: 'share',
  byHand: { mrr: 1 / 2, 'mrr@1': 0, 'mrr@2': 1 / 2 },
  fieldNames: ['rr'],
  trecName: { whole: 'recip_rank', cut: 'recip_rank_cut' },
  score({ relevant, hitCount }, cut) {
    const end = Math.min(hitCount, cut);
    for (let i = 0; i < end; i++) if (relevant[i] === 1) return 1 / (i + 1);
    return 0;
  },
};

export default reciprocalRank;
