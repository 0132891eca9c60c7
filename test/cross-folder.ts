/** Folders of published cross-encoders, and the scores that they give pairs. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { joinedText } from '../harness/pipeline/joined-text.js';
import { PairScorer } from '../harness/pipeline/pair-scorer.js';
import { openCross } from '../harness/pipeline/published-cross.js';
import { type EngineOptions, openEngine } from '../harness/tensor/engines.js';
import { inFixtures, passingFolder } from './places.js';

interface Kind {
  /** Of test/fixtures/tokenizers; null where it lies beside the weights. */
  tokenizer: string | null;
  /** By query, of each passage. */
  scores: number[][];
  /** What sentence-transformers saves of it today, by file. */
  saved?: Record<string, Record<string, unknown>>;
  savedScores?: number[][];
}

/** Made by make-cross.py. */
export const crossKinds = JSON.parse(readFileSync(inFixtures('cross/cross.json'), 'utf8')) as {
  queries: string[];
  /** Title and text. */
  passages: [string, string][];
  kinds: Record<string, Kind>;
};

/** @param files instead of those that are there, by name; null where one is to be absent */
export function crossFolder(name: string, files: Readonly<Record<string, unknown>> = {}): string {
  const folder = passingFolder('cross');
  cpSync(inFixtures(`cross/${name}`), folder, { recursive: true });
  const { tokenizer } = crossKinds.kinds[name]!;
  if (tokenizer !== null) {
    const packed = readFileSync(inFixtures(`tokenizers/${tokenizer}.json.gz`));
    writeFileSync(path.join(folder, 'tokenizer.json'), gunzipSync(packed));
  }
  for (const [file, content] of Object.entries(files)) {
    const target = path.join(folder, file);
    mkdirSync(path.dirname(target), { recursive: true });
    if (content === null) rmSync(target, { force: true });
    else writeFileSync(target, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

/** The JSON of a file of a kind. */
export const crossFile = (name: string, file: string): Record<string, unknown> =>
  JSON.parse(readFileSync(inFixtures(`cross/${name}/${file}`), 'utf8'));

interface Scored {
  queries?: readonly string[];
  passages?: readonly (readonly [string, string])[];
  maxTokens?: number | null;
  threads?: number;
  engine?: { name: string; options: EngineOptions };
  batchTokens?: number;
  precision?: string;
}

/** The score of each passage for each query, as hits are told them. */
export async function scoresOf(folder: string, scored: Scored = {}): Promise<number[][]> {
  const { queries = crossKinds.queries, passages = crossKinds.passages, maxTokens = null } = scored;
  const { threads = 1, batchTokens = 256, precision = 'float32' } = scored;
  const { name, options } = scored.engine ?? { name: 'onnx', options: { threads } };
  const engine = await openEngine(name, options);
  const model = await openCross(folder, 'cross:tiny', { maxTokens });
  const texts = passages.map(([title, text]) => joinedText({ title, text }));
  const source = { resident: true, at: async (ordinal: number) => texts[ordinal]! };
  const scorer = new PairScorer(model, source, engine, { batchTokens, precision });
  try {
    const depth = texts.length;
    const one = Array.from({ length: depth }, (_, i) => i);
    const hits = {
      depth,
      ordinals: Int32Array.from(queries.flatMap(() => one)),
      scores: new Float32Array(queries.length * depth),
      winners: new Int32Array(queries.length * depth),
      counts: new Int32Array(queries.length).fill(depth),
    };
    const tokens = queries.map((text) => scorer.queryTokens({ text }));
    const found = await scorer.rerank(tokens, hits, { reranked: depth, depth });
    return queries.map((_, q) => {
      const own: number[] = [];
      for (let i = q * depth; i < (q + 1) * depth; i++) own[found.ordinals[i]!] = found.scores[i]!;
      return own;
    });
  } finally {
    await scorer.dispose();
    await engine.dispose();
  }
}
