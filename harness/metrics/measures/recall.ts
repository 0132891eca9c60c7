import { type MeasureFamily, relevantAmong } from '../measure.js';

/** trec_eval's recall. */
const recall: MeasureFamily = {
  describe: (k) => `share of the relevant passages that are among the first ${k} hits`,
  needs: 'qrels',
  cut: 'required',
  higherIsBetter: true,
  unit: 'share',
  byHand: { 'recall@2': 1 / 4, 'recall@5': 3 / 4, 'recall@1000': 3 / 4 },
  fieldNames: ['r'],
  trecName: { cut: 'recall' },
  score: (query, cut) => (query.relevantCount === 0 ? 0 : relevantAmong(query, cut) / query.relevantCount),
};

export default recall;
