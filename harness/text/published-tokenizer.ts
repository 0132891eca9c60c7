/** A tokenizer's files as transformers and other tools look for them. */

import { jsonText, parseJson } from '../json.js';
import type { Tokenizer } from './tokenizer.js';
import type { TokenizerJson } from './tokenizer-file.js';

/** The special tokens that each kind of model has, by transformers' name of their role. */
const usualSpecials: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  WordPiece: {
    unk_token: '[UNK]',
    sep_token: '[SEP]',
    pad_token: '[PAD]',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  },
  Unigram: { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' },
};
const roles = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'].map((role) => `${role}_token`);

/**
 * tokenizer.json as it is, tokenizer_config.json and special_tokens_map.json completed where they say too little, and
 * vocab.txt for a WordPiece tokenizer.
 * @param maxTokens the longest text the encoder takes; Infinity where there is none
 * @returns contents by file name
 */
export function publishedFiles({ files }: Tokenizer, maxTokens: number): Record<string, string> {
  const json = parseJson(files['tokenizer.json']!) as TokenizerJson;
  const config = parseJson(files['tokenizer_config.json']!) as Record<string, unknown>;
  const tokens = tokensOf(json);
  const usual = usualSpecials[json.model.type ?? ''] ?? {};
  const specials: Record<string, unknown> = {};
  for (const role of roles) {
    const token = config[role] ?? (tokens.has(usual[role] ?? '') ? usual[role] : undefined);
    if (token !== undefined && token !== null) specials[role] = token;
  }
  const more = config.additional_special_tokens;
  const published: Record<string, string> = {
    'tokenizer.json': files['tokenizer.json']!,
    'tokenizer_config.json': jsonText({
      // The class that takes everything from tokenizer.json.
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...(Number.isFinite(maxTokens) && { model_max_length: maxTokens }),
      ...specials,
      ...config,
    }),
    'special_tokens_map.json': jsonText({
      ...specials,
      ...(Array.isArray(more) && more.length > 0 && { additional_special_tokens: more }),
    }),
  };
  const vocabulary = json.model.type === 'WordPiece' ? lines(tokens) : undefined;
  if (vocabulary !== undefined) published['vocab.txt'] = vocabulary;
  return published;
}

/** Ids by token. */
function tokensOf({ model, added_tokens }: TokenizerJson): Map<string, number> {
  const tokens = Array.isArray(model.vocab)
    ? model.vocab.map(([token], id): [string, number] => [token, id])
    : Object.entries(model.vocab as Readonly<Record<string, number>>);
  return new Map([...tokens, ...added_tokens.map(({ content, id }): [string, number] => [content, id])]);
}

/** One token a line, where a line's number can be its token's id. */
function lines(tokens: ReadonlyMap<string, number>): string | undefined {
  const sorted = [...tokens].sort(([, a], [, b]) => a - b);
  if (sorted.some(([token, id], line) => id !== line || /[\r\n]/.test(token))) return undefined;
  return sorted.map(([token]) => `${token}\n`).join('');
}
