/** A small grid of one's own and where it finds its collections: trained on one, searched in two. For tests. */
import path from 'node:path';
import type { GridOptions } from '../harness/reproduction/grid.js';
import { inFixtures } from './places.js';

const fixtures = inFixtures('datasets');
const scratch = { layers: 2, dimensions: 16, heads: 2, intermediate: 32, vocabularySize: 300 };
const tiny = {
  model: { scratch },
  text: { passageTokens: 24 },
  train: { epochs: 1, batchSize: 4 },
  latency: { queries: 0 },
};
export const grid = {
  title: 'Two collections and three rows',
  published: { in: 'Table 0', quote: 'made up', unit: 'percent', decimals: 1 },
  encoder: { layers: 2, dimensions: 16 },
  presets: ['small'],
  settings: tiny,
  seeds: [1],
  trainOn: 'squad',
  groups: [
    { label: 'SQuAD', dataset: 'squad', columns: [{ label: 'Top-5', measure: 'answer@5' }] },
    { label: 'NF', dataset: 'beir/nfcorpus', columns: [{ label: 'NDCG', measure: 'ndcg@10' }] },
  ],
  average: 'Average',
  rows: [
    { label: 'quoted', published: [50, null, 60] },
    {
      label: 'one vector',
      architecture: 'mlr-sc',
      settings: { arch: { layers: [1, 2] } },
      published: [10, 20, null],
    },
    {
      label: 'wrong',
      architecture: 'mlr',
      settings: { arch: { layers: [1, 2] }, train: { learningRate: 1e38, epochs: 3 } },
      published: [1, 2, 3],
    },
  ],
  small: { settings: tiny },
  collections: {},
  cost: {
    quote: 'made up',
    gpuHours: [1, 2],
    gpu: 'V100',
    trainedPassages: 1,
    encodedPassages: 1,
    trainedPassageWeight: 4,
  },
  notes: [],
};

/** @param root a folder for what its runs make */
export const gridOptions = (root: string, scale: GridOptions['scale']): GridOptions => ({
  scale,
  dataset: 'beir/nfcorpus',
  folders: new Map([
    ...(scale === 'small' ? [] : [['squad', path.join(fixtures, 'squad')] as const]),
    ['beir/nfcorpus', path.join(fixtures, 'beir', 'nfcorpus')],
  ]),
  models: new Map(),
  offline: true,
  cwd: root,
  flags: { cache: path.join(root, 'cache'), out: path.join(root, 'out') },
  set: [],
});
