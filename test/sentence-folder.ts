/** Folders of published sentence encoders: a tiny random BERT with the files of a variant, and one encoder of every kind. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { writeSafetensors } from '../harness/model/safetensors.js';
import { passingFolder, root } from './places.js';

const fixtures = path.join(root, 'test/fixtures/sentence');

interface Variant {
  files: Record<string, unknown>;
  dense: Record<string, Record<string, { shape: number[]; values: number[] }>>;
  queries: number[][];
  passages: number[][];
}

/** Made by make-sentence.py, which lies beside it. */
export const { variants, ...variantTexts } = JSON.parse(
  readFileSync(path.join(fixtures, 'variants.json'), 'utf8'),
) as { variants: Record<string, Variant>; queries: string[]; passages: [string, string][] };

export const withoutSetting = {
  pooling: null,
  similarity: null,
  queryPrompt: null,
  passagePrompt: null,
  maxTokens: null,
} as const;

/** @param files instead of those of the variant, by name; null where one is to be absent, text as it stands */
export async function sentenceFolder(
  name: string,
  files: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const folder = passingFolder('sentence');
  cpSync(path.join(fixtures, 'tiny'), folder, { recursive: true });
  const variant = variants[name]!;
  for (const [file, content] of Object.entries({ ...variant.files, ...files })) {
    if (content === null) continue;
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
  for (const [own, tensors] of Object.entries(variant.dense))
    await writeSafetensors(
      path.join(folder, own, 'model.safetensors'),
      Object.entries(tensors).map(([tensor, { shape, values }]) => ({
        ...{ name: tensor, shape, values: Float32Array.from(values) },
      })),
    );
  return folder;
}

interface Kind extends Pick<Variant, 'files' | 'queries' | 'passages'> {
  /** Of test/fixtures/tokenizers; null where it lies beside the weights. */
  tokenizer: string | null;
}

/** Made by make-kinds.py. */
export const kinds = JSON.parse(readFileSync(path.join(fixtures, 'kinds.json'), 'utf8')) as {
  kinds: Record<string, Kind>;
  queries: string[];
  passages: [string, string][];
};

/** A published model of a kind of encoder, with random weights. @param isBare without what sentence-transformers puts beside it */
export function kindFolder(name: string, { isBare = false } = {}): string {
  const folder = passingFolder('kind');
  cpSync(path.join(fixtures, 'kinds', name), folder, { recursive: true });
  const { tokenizer, files } = kinds.kinds[name]!;
  if (tokenizer !== null) {
    const packed = readFileSync(path.join(fixtures, `../tokenizers/${tokenizer}.json.gz`));
    writeFileSync(path.join(folder, 'tokenizer.json'), gunzipSync(packed));
  }
  for (const [file, content] of Object.entries(isBare ? {} : files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), JSON.stringify(content));
  }
  return folder;
}
