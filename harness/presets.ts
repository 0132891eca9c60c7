/**
 * Presets: named settings, as data. They stand above the defaults of config.schema.json, which are the right thing for a
 * published checkpoint, and below the configuration file and the flags; of several the later stands above the earlier.
 */
import type { ConfigPart } from './config/bench-config.js';

export interface Preset {
  /** One line for `bench list presets`. */
  summary: string;
  settings: ConfigPart;
  /** What it does otherwise on a dataset, `dpr/trivia`, or on each whose name begins with that and a slash, `ms-marco`. */
  on?: Readonly<Record<string, ConfigPart>>;
  /** Where there is one training alone, it is the second of two: what `stage2` says of it then counts for `train`. */
  second?: true;
}

const bertBase = 'google-bert/bert-base-uncased';

/** MS MARCO (section 4.3.2), with one training or two. */
const msMarco: ConfigPart = {
  arch: { lambda: 0.01 },
  text: { queryTokens: 32 },
  train: { epochs: 4, learningRate: 1e-5, negatives: 15, checkpoint: 'last', averageRankFrom: null },
  stage2: { epochs: 4, learningRate: 1e-5, negatives: 'mined', negativePool: 100, depth: 200 },
  search: { depth: 1000 },
  measures: ['mrr@10', 'recall@1000', 'hit-rate@1000', 'ndcg@10'],
};

/** The question answering sets in two stages (appendix D). */
const twoStages: ConfigPart = {
  model: { name: bertBase },
  arch: { lambda: 0.1 },
  train: { epochs: 40, learningRate: 5e-6, checkpoint: 'last' },
  // The second has 20 epochs, half as many, at the same rate: whoever changes the first need not change both.
  stage2: { negatives: 'both', epochs: null, learningRate: null, negativePool: 50, depth: 100 },
};
const twoStagesOn: Readonly<Record<string, ConfigPart>> = {
  // Its script gives 15, and the first epoch above that is judged by average rank.
  'dpr/squad1': { train: { checkpoint: 'best' }, stage2: { averageRankFrom: 16 } },
  'ms-marco': msMarco,
};

export const presets: Readonly<Record<string, Preset>> = {
  small: {
    summary: 'a small model with random weights, trained in minutes on a laptop; what --model scratch uses',
    settings: {
      model: { tied: true },
      text: { queryTokens: 32, passageTokens: 96 },
      train: {
        epochs: 6,
        batchSize: 32,
        chunkSize: null,
        learningRate: 5e-4,
        dropout: 0,
        // A model this small is soon sure of itself where it is wrong: cross entropy would keep too early an epoch.
        averageRankFrom: 0,
      },
      // Random weights are worth little to start from twice.
      stage2: { init: 'first' },
    },
  },
  paper: {
    summary:
      "the training of the paper (appendix A), on each of its datasets, with its public code's choices where they differ",
    settings: {
      model: { name: bertBase, tied: false, t5LayerNorm: 'last' },
      arch: { maskShort: false },
      text: { queryTokens: 256, passageTokens: 256, pairTruncation: 'joined' },
      train: {
        epochs: 40,
        batchSize: 128,
        // The passages of the 16 queries, with one negative each, that its scripts give.
        chunkSize: 32,
        learningRate: null,
        warmup: 0.05,
        weightDecay: 0,
        // Its code clips at 2.0 a gradient that four devices have averaged to a quarter.
        clipNorm: 8,
        dropout: 0.1,
        negatives: 1,
        missingNegative: 'padded',
        otherPositives: 'negatives',
        checkpoint: 'best',
        averageRank: 'batch',
        // Its code switches where the epoch, counted from 0, is above val_av_rank_start_epoch, 30; DPR already at 30.
        averageRankFrom: 31,
        // DPR's pool, for --set train.averageRank=dpr: its own average rank, in batches, takes no notice of it.
        averageRankHardNegatives: 30,
        averageRankOtherNegatives: 30,
        // torch.argsort of its code leaves equal scores in their order.
        averageRankTies: 'listed',
        resetBestAtSwitch: false,
        devNegatives: 'resampled',
      },
      measure: { identicalIds: 'dropped' },
      // The last is what its code calls recall; beside it the true one.
      measures: [
        ...['answer@5', 'answer@20', 'answer@100', 'success@5', 'success@20', 'success@100'],
        ...['mrr@10', 'ndcg@10', 'recall@100', 'hit-rate@100'],
      ],
      seeds: [12345],
    },
    on: {
      'dpr/trivia': { train: { checkpoint: 'last' } },
      'ms-marco': msMarco,
    },
  },
  msmarco: {
    summary:
      'MS MARCO passage ranking (section 4.3.2); the paper starts from RetroMAE, give its folder with --model',
    settings: { model: { name: bertBase }, ...msMarco },
  },
  beir: {
    summary:
      'BEIR (section 4.3.3), upon msmarco: trained on MS MARCO with one encoder, searched in texts of 512 tokens',
    settings: {
      model: { tied: true },
      train: { epochs: 10, learningRate: 3e-5 },
      search: { depth: 100 },
      measures: ['ndcg@10', 'recall@100'],
    },
    // Its code opens the trained encoder as one of Sentence-Transformers, which cuts queries and passages where BERT ends.
    on: { beir: { text: { queryTokens: 512, passageTokens: 512 } } },
  },
  stage1: {
    summary: 'the first of two stages, or both with --stages 2 (appendix D); the paper starts from RetroMAE',
    settings: twoStages,
    on: twoStagesOn,
  },
  stage2: {
    summary: 'the second of two stages alone (appendix D), on --negatives that were mined with the first',
    settings: twoStages,
    on: twoStagesOn,
    second: true,
  },
};

/**
 * The presets that a model is trained with where none is named: a model with random weights has its own, and so has the
 * first of two stages.
 */
export function usualPresets(modelName: string, stages: 1 | 2 = 1): string[] {
  if (modelName === 'scratch') return ['small'];
  return stages === 2 ? ['stage1'] : [];
}
