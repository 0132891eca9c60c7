import { type MeasureFamily, relevantAmong } from './measure.js';

/** trec_eval's recall. */
export const recall: MeasureFamily = {
  name: 'recall',
  describe: (k) => `share of the relevant passages that are among the first ${k} hits`,
  needs: 'qrels',
  cut: 'required',
  higherIsBetter: true,
  fieldNames: ['r'],
  trecName: { cut: 'recall' },
  score: (query, cut) => (query.relevantCount === 0 ? 0 : relevantAmong(query, cut) / query.relevantCount),
};
