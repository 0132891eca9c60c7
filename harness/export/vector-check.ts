/** Holds the vectors of an exported ONNX file against our own, on texts of lengths it was not recorded for. */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { VectorEncoder } from '../model/vector-encoder.js';
import { type Stream, stream } from '../random.js';
import { StoredModel, type TokenModelOutput } from '../tensor/onnx/stored-model.js';
import { bucketOf, padTexts } from '../text/padding.js';
import {
  type ExportTools,
  modelName,
  type Side,
  type TrainedRetriever,
  textLimit,
  type VectorCheck,
} from './trained-retriever.js';

/** Of the largest magnitude; float32 itself has 6e-8. */
const tolerance = 1e-5;

/** The lengths of the texts of each batch, before they are cut to the encoder's limit. */
const batches = [[1], [5, 2, 3], [17, 4, 17, 9, 12], [70, 33], [Number.POSITIVE_INFINITY]];

/**
 * @param folder holds the file
 * @param shortest texts of fewer tokens are padded to so many within the file
 * @throws BenchError EXPORT_FAILED where they differ by more than 1e-5 of the largest magnitude
 */
export async function checkVectors(
  folder: string,
  trained: TrainedRetriever,
  side: Side,
  shortest: number,
  { engine, progress }: ExportTools,
): Promise<VectorCheck> {
  const { retriever, weights } = trained;
  const maxTokens = textLimit(trained.facts, side);
  const file = modelName(side);
  const model = await StoredModel.open(path.join(folder, file));
  const encoder = new VectorEncoder({ engine, retriever, weights, side, maxTokens, batchTokens: 2 ** 20 });
  const random = stream(1, 'export', side);
  // Where padding takes part in the vectors, both must pad alike.
  const padsFreely = retriever.architecture.resolved.maskShort !== false;
  let difference = 0;
  let magnitude = 0;
  let texts = 0;
  try {
    for (const lengths of batches) {
      progress.checkInterrupted();
      const cut = lengths.map((length) =>
        Math.min(maxTokens, padsFreely ? length : Math.max(length, shortest)),
      );
      const batch = cut.map((length) => madeText(random, length, retriever.encoder.vocabularySize));
      const longest = Math.max(...cut);
      const tokens = padsFreely ? longest : bucketOf(longest, maxTokens);
      const { ids, mask } = padTexts(batch, tokens, retriever.encoder.paddingId);
      const found = existing(await model.run(ids, mask, [batch.length, tokens]), batch.length);
      const own = await encoder.encode(batch);
      if (found.counts.join() !== own.counts.join()) {
        throw failure(file, `texts of ${cut} tokens have ${found.counts} vectors, and ${own.counts} in ours`);
      }
      for (const [i, value] of own.vectors.entries()) {
        magnitude = Math.max(magnitude, Math.abs(value));
        // A number that is none stays one, and is no small difference.
        const apart = Math.abs(found.vectors[i]! - value);
        difference = apart <= difference ? difference : apart;
      }
      texts += batch.length;
    }
  } finally {
    await encoder.dispose();
    await model.dispose();
  }
  const largestDifference = difference / magnitude;
  if (!(largestDifference <= tolerance)) {
    throw failure(file, `its vectors differ from ours by ${largestDifference} of the largest magnitude`);
  }
  return { file, largestDifference, tolerance, texts };
}

function failure(file: string, what: string): BenchError {
  return new BenchError(
    'EXPORT_FAILED',
    `${file} does not compute what the checkpoint computes: ${what}; ${tolerance} is allowed.`,
    { hint: 'Nothing was exported. Please report it with the architecture and the kind of encoder.' },
  );
}

function madeText(random: Stream, length: number, vocabularySize: number): Int32Array {
  return Int32Array.from({ length }, () => random.integer(vocabularySize));
}

/** The vectors that exist, text by text. */
function existing({ vectors, vectorsPerText: m, present }: TokenModelOutput, texts: number) {
  const dimensions = vectors.length / (texts * m);
  const kept: number[] = [];
  const counts = new Array<number>(texts).fill(0);
  for (let row = 0; row < texts * m; row++) {
    if (present?.[row] === 0n) continue;
    for (let d = 0; d < dimensions; d++) kept.push(vectors[row * dimensions + d]!);
    counts[Math.floor(row / m)]!++;
  }
  return { vectors: kept, counts };
}
