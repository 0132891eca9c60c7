import { type MeasureFamily, relevantAmong } from '../measure.js';

/** trec_eval's P: always divided by k, so missing hits count as not relevant. */
const precision: MeasureFamily = {
  describe: (k) => `share of the first ${k} hits that are relevant`,
  needs: 'qrels',
  cut: 'required',
  higherIsBetter: true,
  unit: 'share',
  byHand: { 'p@1': 0, 'p@2': 1 / 2, 'p@5': 3 / 5, 'p@10': 3 / 10 },
  fieldNames: ['precision'],
  trecName: { cut: 'P' },
  score: (query, cut) => relevantAmong(query, cut) / cut,
};

export default precision;
