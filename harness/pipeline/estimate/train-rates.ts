/** What a training step and an evaluation on dev take here: a few of them are really made. */
import type { BenchConfig } from '../../config/config.js';
import type { Engine } from '../../tensor/engine.js';
import { AdamW } from '../../train/adamw.js';
import { makeBatch, type TrainingExample } from '../../train/batches.js';
import { devScore } from '../../train/dev-score.js';
import { objectiveOf } from '../../train/objective.js';
import { rankPool, ranksEpochs } from '../../train/rank-pool.js';
import { stepComputer } from '../../train/step-computer.js';
import { largestBatch } from '../../train/training-memory.js';
import { clipScale } from '../../train/update.js';
import { Validation } from '../../train/validation.js';
import { textEncoders } from '../checkpoint.js';
import type { TrainingSetup } from '../starting-model.js';
import type { PartOfDataset } from './part-of-dataset.js';
import { affordable, timed } from './timed.js';

export interface TrainRates {
  /** Forward, loss and backward, by query of a batch. */
  secondsPerQuery: number;
  /** The optimizer, by step. */
  secondsPerUpdate: number;
  /** An evaluation, by dev example: judged by cross entropy, and by average rank where some epoch is. */
  secondsPerDevExample: { crossEntropy: number; averageRank: number };
  /** Compiling. */
  startSeconds: number;
  /** What was made for it. */
  steps: number;
  batchSize: number;
  devExamples: number;
}

/** Texts of dev that are encoded. */
const devTexts = 256;

/** Examples of the lengths of this dataset: which passage is whose positive makes no difference to time. */
async function madeExamples(
  { dataset, passages }: PartOfDataset,
  { tokenizer, text }: TrainingSetup,
  negatives: number,
  others: number,
  count: number,
): Promise<TrainingExample[]> {
  const { query, trainingPassage } = textEncoders(tokenizer, text);
  const queries = [...(await dataset.queries('train')), ...(await dataset.queries('dev'))];
  if (queries.length === 0) return [];
  let next = 0;
  // Passages from all over the part, as a seeded order would bring them.
  const passage = () => trainingPassage(passages[(7919 * next++) % passages.length]!);
  return Array.from({ length: count }, (_, i) => ({
    queryId: `made ${i}`,
    query: query(queries[i % queries.length]!.text),
    positive: passage(),
    negatives: Array.from({ length: negatives }, passage),
    others: Array.from({ length: others }, passage),
  }));
}

/** Undefined where there is no query to train on. */
export async function trainRates(
  part: PartOfDataset,
  setup: TrainingSetup,
  config: BenchConfig,
  engine: Engine,
): Promise<TrainRates | undefined> {
  const { retriever, text, seed, initial } = setup;
  const { train: options, encode } = config;
  const { negatives, missingNegative, otherPositives } = options;
  const { maxQueryTokens, maxPassageTokens } = text;
  const trained = affordable(retriever, 3, maxQueryTokens + (1 + negatives) * maxPassageTokens);
  const batchSize = Math.min(options.batchSize, trained);
  const examples = await madeExamples(part, setup, negatives, 0, batchSize);
  if (examples.length === 0) return undefined;
  const sizes = initial.map((values) => values.length);
  const sets = [0, 1, 2, 3].map(() => engine.variables(sizes));
  const [parameters, gradients, first, second] = sets as [Variables, Variables, Variables, Variables];
  for (const [i, variable] of parameters.variables.entries()) variable.write(initial[i]!);
  const dropout = retriever.dropoutSites(1, 8).length > 0;
  const objective = objectiveOf(options);
  const { precision } = options;
  const context = { engine, retriever, parameters, gradients, seed, dropout, objective, precision };
  const tokens = { queryTokens: maxQueryTokens, passageTokens: maxPassageTokens };
  const largest = largestBatch(options, tokens);
  const computer = stepComputer(context, options.chunkSize, config.deviceMemoryMiB, largest);
  const optimizer = new AdamW(
    engine,
    parameters,
    gradients,
    { first, second },
    retriever.decayed,
    options.weightDecay,
  );
  const lengths = {
    maxQueryTokens: text.maxQueryTokens,
    maxPassageTokens: text.maxPassageTokens,
    batchTokens: encode.batchTokens,
  };
  const batching = { negatives, missingNegative, otherPositives, ...lengths };
  const { paddingId } = retriever.encoder;
  const pool = rankPool(options);
  const hard = Math.max(negatives, pool?.hard ?? 0);
  const others = part.dataset.otherNegatives === undefined ? 0 : (pool?.other ?? 0);
  const each = 2 + negatives + (pool === undefined ? 0 : 1 + hard + others);
  const encoded = Math.min(devTexts, affordable(retriever, 1, maxPassageTokens));
  const dev = await madeExamples(part, setup, hard, others, Math.max(2, Math.floor(encoded / each)));
  const validation = new Validation({
    ...{ engine, retriever, parameters, examples: dev, batchSize: options.batchSize, seed, ...batching },
    ...{ pool, ties: options.averageRankTies, temperature: options.temperature },
  });
  try {
    const batch = makeBatch(examples.slice(0, batchSize), seed, 0, { batchSize, paddingId, ...batching });
    let [step, norm] = [0, 1];
    const compute = await timed(async () => {
      norm = (await computer.compute(batch, ++step, 1, batch)).gradientNorm;
    });
    const update = await timed(() => optimizer.step(++step, 1e-9, clipScale(norm, options.clipNorm)));
    const judged = (averageRankFrom: number | null) =>
      timed(() => devScore(validation, { ...options, averageRankFrom }, 0));
    const rank = ranksEpochs(options) ? await judged(0) : undefined;
    const entropy = rank && options.averageRankFrom === 0 ? rank : await judged(null);
    return {
      secondsPerQuery: compute.seconds / batchSize,
      secondsPerUpdate: update.seconds,
      secondsPerDevExample: {
        crossEntropy: entropy.seconds / dev.length,
        averageRank: (rank ?? entropy).seconds / dev.length,
      },
      startSeconds: compute.startSeconds + update.startSeconds + entropy.startSeconds,
      steps: compute.times,
      batchSize,
      devExamples: dev.length,
    };
  } finally {
    await Promise.all([computer.dispose(), optimizer.dispose(), validation.dispose()]);
    for (const set of sets) set.dispose();
  }
}

type Variables = ReturnType<Engine['variables']>;
