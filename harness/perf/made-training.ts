/** A BERT with random weights and a batch of made-up texts, ready for training steps: what comparisons of training share. */
import type { LoadedEncoder } from '../model/checkpoint.js';
import { Retriever } from '../model/retriever.js';
import { initialWeights } from '../model/retriever-files.js';
import { type ScratchSizes, scratchEncoder } from '../model/scratch.js';
import { loadArchitecture } from '../plugins.js';
import { stream } from '../random.js';
import type { Engine } from '../tensor/engine.js';
import { openEngine } from '../tensor/engines.js';
import { AdamW } from '../train/adamw.js';
import { type Batch, makeBatch, type TrainingExample } from '../train/batches.js';
import { GradientCache } from '../train/gradient-cache.js';
import { DirectStep } from '../train/step.js';
import { clipScale } from '../train/update.js';

export interface TrainingSizes {
  layers: number;
  dimensions: number;
  /** Queries per batch. */
  batch: number;
  /** Hard negatives per query. */
  negatives?: number;
  queryTokens: number;
  passageTokens: number;
  /** Passages are of all lengths from here to `passageTokens`; all of that where absent. */
  shortestPassage?: number;
  vocabularySize: number;
  threads: number;
  /** What computes, where it is not the processor with so many threads. */
  engine?: Engine;
  /** Texts per chunk of the gradient cache; without it where absent. */
  chunkSize?: number;
  /** float32 where absent; the loss keeps a scale of 1, which takes as long as any. */
  precision?: string;
}

/** By its sizes: making a BERT-base takes ten seconds. Nobody changes the weights, which are copied to where they are trained. */
const encoders = new Map<string, LoadedEncoder>();

function madeEncoder(sizes: ScratchSizes): LoadedEncoder {
  const key = JSON.stringify(sizes);
  const made = encoders.get(key) ?? scratchEncoder(sizes, 1);
  encoders.set(key, made);
  return made;
}

/** Token ids of texts of one length. */
export function madeTexts(count: number, length: number, vocabularySize: number): Int32Array[] {
  const random = stream(1, 'perf', 'texts');
  const text = () => Int32Array.from({ length }, () => 5 + random.integer(vocabularySize - 5));
  return Array.from({ length: count }, text);
}

/** @returns one training step a call: forward, loss, backward, clipping, AdamW; its loss; and what is trained */
export async function madeTraining(sizes: TrainingSizes) {
  const { layers, dimensions, batch, negatives = 0, queryTokens, passageTokens, vocabularySize } = sizes;
  const { shortestPassage } = sizes;
  const shape = {
    layers,
    dimensions,
    heads: Math.max(2, dimensions / 64),
    intermediate: 4 * dimensions,
    vocabularySize,
    maxTokens: 512,
    dropout: 0.1,
  };
  const { encoder, weights } = madeEncoder(shape);
  const loaded = await loadArchitecture('dual-encoder');
  const resolved = loaded.family.resolve({}, encoder.shape);
  const retriever = new Retriever(encoder, true, { ...loaded, resolved });
  const engine = sizes.engine ?? (await openEngine('onnx', { threads: sizes.threads }));
  const initial = initialWeights(retriever, weights);
  const variables = () => engine.variables(initial.map((values) => values.length));
  const [parameters, gradients, first, second] = [variables(), variables(), variables(), variables()];
  for (const [i, variable] of parameters.variables.entries()) variable.write(initial[i]!);
  const context = {
    ...{ engine, retriever, parameters, gradients, seed: 1, dropout: true },
    ...(sizes.precision && { precision: sizes.precision }),
  };
  const computer =
    sizes.chunkSize === undefined ? new DirectStep(context) : new GradientCache(context, sizes.chunkSize);
  const optimizer = new AdamW(engine, parameters, gradients, { first, second }, retriever.decayed, 0);
  const random = stream(1, 'perf');
  const text = (length: number) => Int32Array.from({ length }, () => 5 + random.integer(vocabularySize - 5));
  const passage = () =>
    text(
      shortestPassage === undefined
        ? passageTokens
        : shortestPassage + random.integer(passageTokens - shortestPassage + 1),
    );
  const examples = Array.from(
    { length: batch },
    (_, i): TrainingExample => ({
      queryId: `q${i}`,
      query: text(queryTokens),
      positive: passage(),
      negatives: Array.from({ length: negatives }, passage),
    }),
  );
  const newBatch = () =>
    makeBatch(examples, 1, 0, {
      batchSize: batch,
      negatives,
      missingNegative: 'left-out',
      paddingId: 0,
      maxQueryTokens: queryTokens,
      maxPassageTokens: passageTokens,
    });
  let steps = 0;
  let next: Batch | undefined;
  return {
    retriever,
    initial,
    async step(): Promise<number> {
      const made = next ?? newBatch();
      // As the trainer, which knows what comes next.
      next = newBatch();
      steps++;
      const { loss, gradientNorm } = await computer.compute(made, steps, 1, next);
      await optimizer.step(steps, 1e-5, clipScale(gradientNorm, 2));
      return loss;
    },
    async dispose(): Promise<void> {
      await computer.dispose();
      await optimizer.dispose();
      for (const set of [parameters, gradients, first, second]) set.dispose();
    },
  };
}
