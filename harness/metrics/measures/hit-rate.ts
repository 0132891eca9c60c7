import type { MeasureFamily } from '../measure.js';
import success from './success.js';

/** What RocketQA's MS MARCO script prints as recall; the same number as success, under the name tables use. */
const hitRate: MeasureFamily = {
  describe: (k) => `a relevant passage is among the first ${k} hits: what RocketQA calls recall@${k}`,
  needs: 'qrels',
  cut: 'required',
  higherIsBetter: true,
  unit: 'share',
  byHand: { 'hit-rate@1': 0, 'hit-rate@5': 1 },
  suggestedFor: ['hit'],
  score: success.score,
};

export default hitRate;
