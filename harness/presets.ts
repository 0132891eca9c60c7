/**
 * Presets: named settings, as data. A preset stands above the defaults of config.schema.json, which are the right
 * thing for a published checkpoint, and below the configuration file and the flags.
 */
import type { ConfigPart } from './config/bench-config.js';

export interface Preset {
  /** One line for `bench list presets`. */
  summary: string;
  settings: ConfigPart;
}

const bertBase = 'google-bert/bert-base-uncased';

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
    summary: 'the training of the paper (appendix A), with the choices of its public code where they differ',
    settings: {
      model: { name: bertBase, tied: false, t5LayerNorm: 'last' },
      arch: { maskShort: false },
      text: { queryTokens: 256, passageTokens: 256, pairTruncation: 'joined' },
      train: {
        epochs: 40,
        batchSize: 128,
        chunkSize: 16,
        learningRate: null,
        warmup: 0.05,
        weightDecay: 0,
        // Its code clips at 2.0 a gradient that four devices have averaged to a quarter.
        clipNorm: 8,
        dropout: 0.1,
        negatives: 1,
        missingNegative: 'padded',
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
  },
  msmarco: {
    summary:
      'MS MARCO passage ranking (section 4.3.2); the paper starts from RetroMAE, give its folder with --model',
    settings: {
      model: { name: bertBase },
      arch: { lambda: 0.01 },
      text: { queryTokens: 32 },
      train: {
        epochs: 4,
        learningRate: 1e-5,
        negatives: 15,
        checkpoint: 'last',
        averageRankFrom: null,
      },
      search: { depth: 1000 },
      measures: ['mrr@10', 'recall@1000', 'hit-rate@1000', 'ndcg@10'],
    },
  },
  stage1: {
    summary: 'the first of two stages (appendix D): BM25 negatives; the paper starts from RetroMAE',
    settings: {
      model: { name: bertBase },
      arch: { lambda: 0.1 },
      // The paper keeps the best dev checkpoint for SQuAD: --set train.checkpoint=best, and for its second stage
      // --set stage2.averageRankFrom=16.
      train: { epochs: 40, learningRate: 5e-6, checkpoint: 'last' },
    },
  },
  stage2: {
    summary: 'the second of two stages (appendix D): 50 BM25 and 50 mined negatives to draw from',
    settings: {
      model: { name: bertBase },
      arch: { lambda: 0.1 },
      train: { epochs: 20, learningRate: 5e-6, negativePool: 50, checkpoint: 'last' },
    },
  },
};

/**
 * The preset that a model is trained with where none is named: a model with random weights has its own, and so has the
 * first of two stages.
 */
export function usualPreset(modelName: string, stages: 1 | 2 = 1): string | null {
  if (modelName === 'scratch') return 'small';
  return stages === 2 ? 'stage1' : null;
}
