import type { MeasureFamily } from './measure.js';
import { success } from './success.js';

/** What RocketQA's MS MARCO script prints as recall; the same number as success, under the name tables use. */
export const hitRate: MeasureFamily = {
  name: 'hit-rate',
  describe: (k) => `a relevant passage is among the first ${k} hits: what RocketQA calls recall@${k}`,
  needs: 'qrels',
  cut: 'required',
  higherIsBetter: true,
  score: success.score,
};
