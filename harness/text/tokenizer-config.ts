/**
 * What the files beside tokenizer.json say of it. The rules are those of transformers (4.57 and 5.24, which agree in them): its
 * BERT tokenizers take case, accents and ideographs from tokenizer_config.json, whatever tokenizer.json has, and tokens that only
 * the other files name are added. RoBERTa's take from there whether a blank is put before a text.
 */
import type { AddedToken } from './added-tokens.js';
import type { TokenizerJson } from './tokenizer-file.js';

/** The files beside tokenizer.json, parsed; what is absent is left out. */
export interface TokenizerConfig {
  /** tokenizer_config.json */
  config: Readonly<Record<string, unknown>>;
  /** special_tokens_map.json */
  specials?: Readonly<Record<string, unknown>>;
  /** added_tokens.json: ids by token. */
  added?: Readonly<Record<string, unknown>>;
}

/** By `tokenizer_class`, without the ending that fast ones have. */
const bertClasses = ['Bert', 'DistilBert', 'Electra', 'MobileBert', 'MPNet'].map(
  (name) => `${name}Tokenizer`,
);
const robertaClass = /^RobertaTokenizer(Fast)?$/;
const plainClasses = ['PreTrainedTokenizer', 'TokenizersBackend'];
const roles = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'].map((role) => `${role}_token`);

/** tokenizer.json as it is in effect. @throws Error that says what cannot be used */
export function tokenizerInEffect(json: TokenizerJson, files: TokenizerConfig): TokenizerJson {
  const { config } = files;
  if (config.split_special_tokens === true)
    throw new Error('tokenizer_config.json says split_special_tokens, which is not supported');
  const normalizer = normalizerInEffect(json.normalizer, config);
  const pre_tokenizer = preTokenizerInEffect(json.pre_tokenizer, config);
  return { ...json, normalizer, pre_tokenizer, added_tokens: addedInEffect(json, files) };
}

function preTokenizerInEffect(
  preTokenizer: TokenizerJson['pre_tokenizer'],
  { tokenizer_class: named, add_prefix_space: prefixes }: TokenizerConfig['config'],
): TokenizerJson['pre_tokenizer'] {
  const isRoberta = typeof named === 'string' && robertaClass.test(named);
  if (preTokenizer?.type !== 'ByteLevel' || !isRoberta) return preTokenizer;
  return { ...preTokenizer, add_prefix_space: prefixes === true };
}

function normalizerInEffect(
  normalizer: TokenizerJson['normalizer'],
  config: TokenizerConfig['config'],
): TokenizerJson['normalizer'] {
  const { tokenizer_class: named, do_lower_case, strip_accents, tokenize_chinese_chars } = config;
  const name = typeof named === 'string' ? named.replace(/Fast$/, '') : undefined;
  const isBert = name !== undefined && bertClasses.includes(name);
  if (normalizer?.type !== 'BertNormalizer') {
    if (!isBert) return normalizer;
    throw new Error(
      `its normalizer is ${normalizer?.type ?? 'null'}, and tokenizer_config.json names ${named}, whose is BertNormalizer`,
    );
  }
  const asConfigured = {
    ...normalizer,
    lowercase: do_lower_case ?? true,
    strip_accents: strip_accents ?? null,
    handle_chinese_chars: tokenize_chinese_chars ?? true,
  };
  // Without a class transformers goes by the model, which is BERT.
  if (isBert || name === undefined) return asConfigured;
  if (plainClasses.includes(name) || JSON.stringify(asConfigured) === JSON.stringify(normalizer))
    return normalizer;
  throw new Error(
    `tokenizer_config.json names ${named}, of which it is not known whether case and accents are its own or those of tokenizer.json`,
  );
}

function addedInEffect(
  json: TokenizerJson,
  { config, specials = {}, added = {} }: TokenizerConfig,
): AddedToken[] {
  const tokens = new Map(json.added_tokens.map((token) => [token.content, token]));
  const vocabulary = vocabularyOf(json);
  const contents = new Map(json.added_tokens.map((token) => [token.id, token.content]));
  const add = (content: string, id: number, flags: Partial<AddedToken>, source: string) => {
    const known = tokens.get(content)?.id ?? vocabulary.get(content);
    const other = contents.get(id) ?? content;
    if ((known ?? id) !== id || other !== content) {
      const has = other === content ? `has it as ${known}` : `has '${other}' there`;
      throw new Error(`${source} says that '${content}' is token ${id}, and tokenizer.json ${has}`);
    }
    tokens.set(content, { id, content, ...usualFlags, ...flags });
    contents.set(id, content);
  };
  const decoder = (config.added_tokens_decoder ?? {}) as Record<string, AddedToken>;
  for (const [id, { content, ...flags }] of Object.entries(decoder))
    add(content, Number(id), flags, 'tokenizer_config.json');
  for (const [content, id] of Object.entries(added))
    if (!tokens.has(content)) add(content, Number(id), { normalized: true }, 'added_tokens.json');
  for (const [content, source] of [
    ...namedSpecials(config).map((each) => [each, 'tokenizer_config.json'] as const),
    ...namedSpecials(specials).map((each) => [each, 'special_tokens_map.json'] as const),
  ]) {
    if (tokens.has(content)) continue;
    const id = vocabulary.get(content);
    if (id === undefined)
      throw new Error(`${source} names the special token '${content}', and tokenizer.json does not have it`);
    add(content, id, { special: true }, source);
  }
  return [...tokens.values()].sort((a, b) => a.id - b.id);
}

const usualFlags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };

/** The tokens that a file gives roles to; a token is its text, or an object that holds it. */
function namedSpecials(file: Readonly<Record<string, unknown>>): string[] {
  const more = file.additional_special_tokens;
  return [...roles.map((role) => file[role]), ...(Array.isArray(more) ? more : [])].flatMap((token) => {
    const content = typeof token === 'object' && token !== null ? (token as AddedToken).content : token;
    return typeof content === 'string' ? [content] : [];
  });
}

function vocabularyOf({ model }: TokenizerJson): Map<string, number> {
  if (Array.isArray(model.vocab)) return new Map(model.vocab.map(([token], id) => [token, id]));
  return new Map(Object.entries(model.vocab as Readonly<Record<string, number>>));
}
