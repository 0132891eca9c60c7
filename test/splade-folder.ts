/** Folders of learned sparse models: tiny random masked language models, and what SparseEncoder makes of them. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { largestWeights, type TokenWeights } from '../harness/index/token-weights.js';
import { writeSafetensors } from '../harness/model/safetensors.js';
import { openEncoder } from '../harness/pipeline/open-model.js';
import { openQueryWeights, openSparseModel } from '../harness/pipeline/sparse-model.js';
import { openEngine } from '../harness/tensor/engines.js';
import { inFixtures, passingFolder } from './places.js';

/** Tokens, and their weights. */
export type Weights = readonly [tokens: number[], weights: number[]];

export interface Expected {
  queries: Weights[];
  passages: Weights[];
  /** [queries, passages] */
  similarity: number[][];
}

interface Variant extends Expected {
  kind: string;
  /** Of test/fixtures/tokenizers; null where it lies beside the weights. */
  tokenizer: string | null;
  files: Record<string, unknown>;
}

/** Made by make-splade.py, which lies beside it. */
export const splade = JSON.parse(readFileSync(inFixtures('splade/splade.json'), 'utf8')) as {
  queries: string[];
  /** Title and text. */
  passages: [string, string][];
  variants: Record<string, Variant>;
  routed: Expected & { files: Record<string, unknown>; idf: number[] };
};

export const withoutSetting = {
  ...{ queryPrompt: null, passagePrompt: null, maxTokens: null, queryWeights: null, passageWeights: null },
} as const;

function put(folder: string, files: Readonly<Record<string, unknown>>): void {
  for (const [file, content] of Object.entries(files)) {
    if (content === null) continue;
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

/** @param files instead of those of the variant, by name; null where one is to be absent, text as it stands */
export function spladeFolder(name: string, files: Readonly<Record<string, unknown>> = {}): string {
  const folder = passingFolder('splade');
  const variant = splade.variants[name]!;
  cpSync(inFixtures(`splade/kinds/${variant.kind}`), folder, { recursive: true });
  if (variant.tokenizer !== null) {
    const packed = readFileSync(inFixtures(`tokenizers/${variant.tokenizer}.json.gz`));
    writeFileSync(path.join(folder, 'tokenizer.json'), gunzipSync(packed));
  }
  put(folder, { ...variant.files, ...files });
  return folder;
}

/** A model whose queries need no encoder. @param files as `spladeFolder` has them */
export async function routedFolder(
  files: Readonly<Record<string, unknown>> = {},
  idf: readonly number[] = splade.routed.idf,
): Promise<string> {
  const folder = passingFolder('routed');
  const [table, encoder] = ['query_0_SparseStaticEmbedding', 'document_0_MLMTransformer'];
  cpSync(inFixtures('splade/kinds/bert'), path.join(folder, encoder), { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    cpSync(inFixtures(`splade/kinds/bert/${name}`), path.join(folder, table, name));
  await writeSafetensors(path.join(folder, table, 'model.safetensors'), [
    { name: 'weight', shape: [idf.length], values: Float32Array.from(idf) },
  ]);
  put(folder, { ...splade.routed.files, ...files });
  return folder;
}

/** Weights of texts one by one. */
export function textsOf({ pairs, counts }: TokenWeights): Weights[] {
  let at = 0;
  return Array.from(counts, (count): Weights => {
    const own = pairs.subarray(at, at + 2 * count);
    at += own.length;
    return [Array.from(own.filter((_, i) => i % 2 === 0)), Array.from(own.filter((_, i) => i % 2 === 1))];
  });
}

/** The weights that a model gives for the texts of the fixtures. */
export async function weightsOf(
  folder: string,
  set: Parameters<typeof openSparseModel>[2] = withoutSetting,
  { precision = 'float32', batchTokens = 64, threads = 1 } = {},
) {
  const engine = await openEngine('onnx', { threads });
  try {
    const model = await openSparseModel(folder, 'tiny', set);
    const asked = { shardPassages: 1, memoryMiB: 1, batchTokens, precision };
    const passages = openEncoder(model, 'passage', engine, asked);
    const queries = openQueryWeights(model, engine, asked);
    const ids = splade.passages.map(([title, text]) => model.texts.passage({ passageId: 'p', title, text }));
    const { vectors: pairs, counts } = model.retriever.weightsOf((await passages.encode(ids)).vectors);
    const { kept } = model.facts;
    const found = {
      passages: largestWeights({ pairs, counts }, kept.passage),
      queries: largestWeights(await queries.encode(splade.queries.map(model.texts.query)), kept.query),
      model,
    };
    await passages.dispose();
    await queries.close();
    return found;
  } finally {
    await engine.dispose();
  }
}

/** Every weight to 1e-5; one that only one of the two has is no larger. */
export function assertNearWeights(found: TokenWeights, expected: readonly Weights[], what: string): void {
  const texts = textsOf(found);
  assert.equal(texts.length, expected.length);
  for (const [i, [tokens, weights]] of expected.entries()) {
    const own = new Map(texts[i]![0].map((token, j) => [token, texts[i]![1][j]!]));
    const theirs = new Map(tokens.map((token, j) => [token, weights[j]!]));
    assert.ok(theirs.size > 0, `${what} ${i} has weights`);
    for (const token of new Set([...own.keys(), ...theirs.keys()])) {
      const [a, b] = [own.get(token) ?? 0, theirs.get(token) ?? 0];
      assert.ok(Math.abs(a - b) <= 1e-5 * Math.max(1, b), `${what} ${i}, token ${token}: ${a}, not ${b}`);
    }
  }
}
