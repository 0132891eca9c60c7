import { type MeasureFamily, relevantAmong } from './measure.js';

/** trec_eval's P: always divided by k, so missing hits count as not relevant. */
export const precision: MeasureFamily = {
  name: 'p',
  describe: (k) => `share of the first ${k} hits that are relevant`,
  needs: 'qrels',
  cut: 'required',
  higherIsBetter: true,
  fieldNames: ['precision'],
  trecName: { cut: 'P' },
  score: (query, cut) => relevantAmong(query, cut) / cut,
};
