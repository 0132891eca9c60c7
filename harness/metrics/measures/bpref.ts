import type { MeasureFamily } from '../measure.js';

/** trec_eval's bpref (Buckley and Voorhees, SIGIR 2004), for judgements that are far from complete: hits that nobody judged play no part. */
const binaryPreference: MeasureFamily = {
  describe: (k) =>
    `binary preference${k === undefined ? '' : ` among the first ${k} hits`}: relevant hits, each less the share of judged and not relevant passages above it`,
  needs: 'qrels',
  cut: 'optional',
  higherIsBetter: true,
  unit: 'share',
  byHand: { bpref: 1 / 4, 'bpref@1': 0, 'bpref@5': 1 / 4 },
  trecName: { whole: 'bpref' },
  score({ relevant, judged, hitCount, relevantCount, notRelevantCount }, cut) {
    const end = Math.min(hitCount, cut);
    const most = Math.min(notRelevantCount, relevantCount);
    let above = 0;
    let sum = 0;
    for (let i = 0; i < end; i++) {
      if (relevant[i] === 1) sum += above === 0 ? 1 : 1 - Math.min(above, relevantCount) / most;
      else above += judged[i]!;
    }
    return relevantCount === 0 ? 0 : sum / relevantCount;
  },
};

export default binaryPreference;
