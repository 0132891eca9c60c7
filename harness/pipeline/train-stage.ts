/** Training as a stage: a checkpoint in the cache, named by everything that decides its weights. */
import { initialWeights, saveRetriever } from '../model/retriever-files.js';
import type { Progress } from '../progress.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import { type ExampleCounts, trainingExamples } from '../train/examples.js';
import { removeState, type TrainingFacts, train } from '../train/trainer.js';
import { datasetIdentity, type Prepared, tokenizers } from './prepare.js';

export interface CheckpointFacts {
  training: TrainingFacts;
  train: ExampleCounts;
  dev: ExampleCounts;
}

/** What an engine's numbers depend on. */
export const engineIdentity = ({ name, device, versions }: Engine) => ({ name, device, versions });

export function trainStage(
  prepared: Prepared,
  engine: Engine,
  progress: Progress,
): Promise<Artifact<CheckpointFacts>> {
  const { request, store, dataset, model, retriever, learningRate, maxQueryTokens, maxPassageTokens } =
    prepared;
  const { config, seed } = request;
  const { saveEverySteps: _, ...training } = config.train;
  const inputs = {
    made: 'checkpoint 1',
    dataset: datasetIdentity(dataset),
    model: model.files.map(({ name, sha256 }) => ({ name, sha256 })),
    architecture: { name: retriever.architecture.name, ...retriever.architecture.resolved },
    tied: retriever.tied,
    t5LayerNorm: config.model.t5LayerNorm,
    training: { ...training, learningRate },
    maxQueryTokens,
    maxPassageTokens,
    seed,
    engine: engineIdentity(engine),
  };
  return store.artifact('checkpoints', inputs, async (folder) => {
    const { query, trainingPassage } = tokenizers(prepared);
    const texts = { query, passage: trainingPassage };
    const train_ = await trainingExamples(dataset, 'train', texts, config.train);
    const dev = await trainingExamples(dataset, 'dev', texts, config.train);
    for (const line of remarks(train_.counts)) progress.note(line);
    const trained = await train({
      engine,
      retriever,
      initial: initialWeights(retriever, prepared.checkpoint),
      examples: train_.examples,
      dev: dev.examples,
      options: config.train,
      learningRate,
      maxQueryTokens,
      maxPassageTokens,
      batchTokens: config.encode.batchTokens,
      seed,
      folder,
      progress,
    });
    await saveRetriever(folder, retriever, trained.weights, prepared.tokenizer.files);
    await removeState(folder);
    return { training: trained.facts, train: train_.counts, dev: dev.counts };
  });
}

/** What was left out of training, for people. */
export function remarks(counts: ExampleCounts): string[] {
  const lines: string[] = [];
  if (counts.withoutPositive > 0)
    lines.push(`${counts.withoutPositive} training queries have no positive and are left out`);
  if (counts.positivesAmongNegatives > 0) {
    lines.push(
      `${counts.positivesAmongNegatives} negatives are judged relevant to their query and are left out`,
    );
  }
  if (counts.tooFewNegatives > 0)
    lines.push(`${counts.tooFewNegatives} training queries have fewer hard negatives than asked for`);
  return lines;
}
