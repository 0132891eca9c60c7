/**
 * `npm run perf -- chunk-memory`: the same training steps with and without the gradient cache, each in a process of its own,
 * and the largest resident memory of each: with the cache it is to follow the chunk, not the batch.
 */
import { parseJson } from '../json.js';
import { peakMiB } from './made-text.js';
import { madeTraining } from './made-training.js';
import { shownTurn } from './turns.js';

const sizes = {
  layers: 4,
  dimensions: 128,
  negatives: 1,
  queryTokens: 32,
  passageTokens: 128,
  vocabularySize: 8000,
  threads: 2,
};
const steps = 2;

interface Variant {
  batch: number;
  chunkSize?: number;
}

/** As small as it gets comes first: what the process itself takes. */
const variants: readonly Variant[] = [
  { batch: 8 },
  { batch: 128 },
  { batch: 32, chunkSize: 16 },
  { batch: 128, chunkSize: 16 },
];

/** Trains in this process. */
async function measure(variant: Variant): Promise<void> {
  const { step, dispose } = await madeTraining({ ...sizes, ...variant });
  const losses: number[] = [];
  const started = performance.now();
  for (let i = 0; i < steps; i++) losses.push(await step());
  const seconds = (performance.now() - started) / 1000;
  await dispose();
  const how = variant.chunkSize === undefined ? 'direct   ' : `chunk ${variant.chunkSize} `;
  console.log(
    `batch ${String(variant.batch).padEnd(3)} ${how}  ${peakMiB().toFixed(0).padStart(6)} MiB at its highest, ` +
      `loss ${losses.map((loss) => loss.toFixed(5)).join(', ')}, ${seconds.toFixed(1)} s`,
  );
}

export default async function perfChunkMemory([variant]: readonly string[]): Promise<void> {
  if (variant !== undefined) return measure(parseJson(variant) as Variant);
  const { layers, dimensions, queryTokens, passageTokens } = sizes;
  console.log(
    `BERT, ${layers} layers, D=${dimensions}; per query ${queryTokens} tokens and two passages of ${passageTokens}; ` +
      `${steps} steps with dropout, resident memory of the whole process`,
  );
  for (const each of variants) shownTurn('chunk-memory', each);
}
