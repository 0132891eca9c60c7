import { type MeasureFamily, relevantAmong } from './measure.js';

/** Top-k accuracy by qrels; trec_eval's success. */
export const success: MeasureFamily = {
  name: 'success',
  describe: (k) => `top-${k} accuracy by qrels: a relevant passage is among the first ${k} hits`,
  needs: 'qrels',
  cut: 'required',
  higherIsBetter: true,
  trecName: { cut: 'success' },
  score: (query, cut) => (relevantAmong(query, cut) > 0 ? 1 : 0),
};
