import type { MeasureFamily } from '../measure.js';

/** Top-k accuracy of DPR (Karpukhin et al. 2020): an answer stands in the text of one of the first k hits. */
const answer: MeasureFamily = {
  describe: (k) => `top-${k} accuracy: an answer occurs in the text of one of the first ${k} hits`,
  needs: 'answers',
  cut: 'required',
  higherIsBetter: true,
  unit: 'share',
  byHand: { 'answer@2': 0, 'answer@3': 1 },
  suggestedFor: ['accuracy'],
  score: ({ firstAnswerRank, hitCount }, cut) =>
    firstAnswerRank !== undefined && firstAnswerRank <= Math.min(cut, hitCount) ? 1 : 0,
};

export default answer;
