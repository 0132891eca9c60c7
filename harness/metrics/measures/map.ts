import type { MeasureFamily } from '../measure.js';

/** trec_eval's map and map_cut: both divide by all relevant passages, found or not. */
const averagePrecision: MeasureFamily = {
  describe: (k) =>
    `average precision${k === undefined ? '' : ` over the first ${k} hits`}: precision at each relevant hit, over all relevant passages`,
  needs: 'qrels',
  cut: 'optional',
  higherIsBetter: true,
  unit: 'share',
  byHand: { map: (1 / 2 + 2 / 4 + 3 / 5) / 4, 'map@4': (1 / 2 + 2 / 4) / 4 },
  fieldNames: ['ap'],
  trecName: { whole: 'map', cut: 'map_cut' },
  score({ relevant, hitCount, relevantCount }, cut) {
    const end = Math.min(hitCount, cut);
    let found = 0;
    let sum = 0;
    for (let i = 0; i < end; i++) if (relevant[i] === 1) sum += ++found / (i + 1);
    return relevantCount === 0 ? 0 : sum / relevantCount;
  },
};

export default averagePrecision;
