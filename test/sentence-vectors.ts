/** The vectors that a published model gives for texts, and how near they are to others. */
import assert from 'node:assert/strict';
import { VectorEncoder } from '../harness/model/vector-encoder.js';
import { openPublished } from '../harness/pipeline/published-model.js';
import { openEngine } from '../harness/tensor/engines.js';
import { variantTexts, withoutSetting } from './sentence-folder.js';

export interface SentenceTexts {
  queries: readonly string[];
  /** Title and text. */
  passages: readonly (readonly [string, string])[];
}

export async function vectorsOf(
  folder: string,
  set: Parameters<typeof openPublished>[2] = withoutSetting,
  { queries, passages }: SentenceTexts = variantTexts,
) {
  const engine = await openEngine('onnx', { threads: 1 });
  try {
    const { retriever, weights, texts, maxTokens } = await openPublished(folder, 'tiny', set);
    const of = async (side: 'query' | 'passage', ids: readonly Int32Array[]) => {
      const options = { engine, retriever, weights, side, maxTokens: maxTokens[side], batchTokens: 64 };
      const encoder = new VectorEncoder(options);
      const { vectors } = await encoder.encode(ids);
      await encoder.dispose();
      const { dimensions } = retriever;
      return ids.map((_, i) => [...vectors.subarray(i * dimensions, (i + 1) * dimensions)]);
    };
    return {
      queries: await of('query', queries.map(texts.query)),
      passages: await of(
        'passage',
        passages.map(([title, text]) => texts.passage({ passageId: 'p', title, text })),
      ),
    };
  } finally {
    await engine.dispose();
  }
}

/** To 1e-5 of the largest number. */
export function assertNear(found: readonly number[][], expected: readonly number[][], what: string): void {
  const largest = Math.max(...expected.flat().map(Math.abs));
  for (const [row, values] of expected.entries()) {
    assert.equal(found[row]!.length, values.length, what);
    for (const [d, value] of values.entries())
      assert.ok(
        Math.abs(found[row]![d]! - value) <= 1e-5 * largest,
        `${what} ${row}, ${d}: ${found[row]![d]}, not ${value}`,
      );
  }
}
