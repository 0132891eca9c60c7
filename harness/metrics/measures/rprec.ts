import { type MeasureFamily, relevantAmong } from '../measure.js';

/** trec_eval's Rprec; with a cut-off, what `trec_eval -M k` gives. */
const rPrecision: MeasureFamily = {
  describe: (k) =>
    `share of the first R hits that are relevant, R being how many relevant passages there are${k === undefined ? '' : `; hits behind the first ${k} count as not relevant`}`,
  needs: 'qrels',
  cut: 'optional',
  higherIsBetter: true,
  unit: 'share',
  byHand: { rprec: 2 / 4, 'rprec@3': 1 / 4 },
  fieldNames: ['r-precision', 'r_precision'],
  trecName: { whole: 'Rprec' },
  score: (query, cut) =>
    query.relevantCount === 0
      ? 0
      : relevantAmong(query, Math.min(cut, query.relevantCount)) / query.relevantCount,
};

export default rPrecision;
