import { type MeasureFamily, relevantAmong } from '../measure.js';

/** Top-k accuracy by qrels; trec_eval's success. */
const success: MeasureFamily = {
  describe: (k) => `top-${k} accuracy by qrels: a relevant passage is among the first ${k} hits`,
  needs: 'qrels',
  cut: 'required',
  higherIsBetter: true,
  unit: 'share',
  byHand: { 'success@1': 0, 'success@2': 1 },
  trecName: { cut: 'success' },
  score: (query, cut) => (relevantAmong(query, cut) > 0 ? 1 : 0),
};

export default success;
