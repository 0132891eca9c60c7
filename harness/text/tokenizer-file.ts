/** What tokenizer.json says beyond the model: special tokens, templates, and the largest id. */
import { BenchError } from '../errors.js';
import type { AddedToken } from './added-tokens.js';
import type { NormalizerJson } from './normalizer.js';
import type { PreTokenizerJson } from './pre-tokenizer.js';
import { tokenizerFaults, tokenizerMembers } from './tokenizer-schema.js';

/** The parts of tokenizer.json that are read here; @huggingface/tokenizers reads the model. */
export interface TokenizerJson {
  version?: string;
  added_tokens: readonly AddedToken[];
  normalizer: NormalizerJson | null;
  pre_tokenizer: PreTokenizerJson | null;
  post_processor: PostProcessor | null;
  decoder: unknown;
  model: {
    type?: string | null;
    vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
    unk_id?: number | null;
  };
  [member: string]: unknown;
}

interface PostProcessor {
  type: string;
  single?: readonly TemplateItem[];
  pair?: readonly TemplateItem[];
  special_tokens?: Readonly<Record<string, { ids: readonly number[] }>>;
  sep?: readonly [string, number];
  cls?: readonly [string, number];
  processors?: readonly PostProcessor[];
}

interface TemplateItem {
  Sequence?: { id: 'A' | 'B'; type_id?: number };
  SpecialToken?: { id: string; type_id?: number };
}

/** Ids of special tokens, and the places of the first and the second text. */
export type Template = readonly (number | 'A' | 'B')[];

export interface Templates {
  single: Template;
  pair: Template;
  /** What BERT calls the segment, for each item of `pair`: 0 for the first text and 1 for the second, as the file has it. */
  pairTypes: readonly number[];
}

/**
 * How a text, and a pair of texts, are framed by special tokens.
 * @throws BenchError CHECKPOINT_INVALID where the post-processor is of a kind that is not known
 */
export function readTemplates({ post_processor }: TokenizerJson, source: string): Templates {
  const found = post_processor === null ? [] : (post_processor.processors ?? [post_processor]);
  const processor = found.find(({ type }) => type !== 'ByteLevel');
  if (processor === undefined) return { single: ['A'], pair: ['A', 'B'], pairTypes: [0, 1] };
  const { type, single, pair, special_tokens: specials = {}, sep, cls } = processor;
  if (type === 'TemplateProcessing' && single !== undefined && pair !== undefined) {
    const itemsOf = ({ Sequence, SpecialToken }: TemplateItem): (number | 'A' | 'B')[] => {
      if (Sequence !== undefined) return [Sequence.id];
      const ids = specials[SpecialToken?.id ?? '']?.ids;
      if (ids === undefined)
        throw broken(source, `its template names ${SpecialToken?.id}, which it does not define`);
      return [...ids];
    };
    const typesOf = (item: TemplateItem) => {
      const type = (item.Sequence ?? item.SpecialToken)?.type_id ?? 0;
      return itemsOf(item).map(() => type);
    };
    const templates = {
      ...{ single: single.flatMap(itemsOf), pair: pair.flatMap(itemsOf) },
      pairTypes: pair.flatMap(typesOf),
    };
    if (!isOnce(templates.single, 'A') || templates.single.includes('B'))
      throw broken(source, 'its template for a single text does not have the text A once, and it alone');
    if (!isOnce(templates.pair, 'A') || !isOnce(templates.pair, 'B'))
      throw broken(source, 'its template for a pair does not have the texts A and B once each');
    return templates;
  }
  if (type === 'BertProcessing' && sep !== undefined && cls !== undefined) {
    const pair = [cls[1], 'A', sep[1], 'B', sep[1]] as const;
    return { single: [cls[1], 'A', sep[1]], pair, pairTypes: [0, 0, 0, 1, 1] };
  }
  if (type === 'RobertaProcessing' && sep !== undefined && cls !== undefined) {
    const pair = [cls[1], 'A', sep[1], sep[1], 'B', sep[1]] as const;
    return { single: [cls[1], 'A', sep[1]], pair, pairTypes: [0, 0, 0, 0, 0, 0] };
  }
  throw broken(
    source,
    `its post_processor is ${type}; supported: TemplateProcessing, BertProcessing, RobertaProcessing`,
  );
}

const isOnce = (template: Template, text: 'A' | 'B'): boolean =>
  template.filter((item) => item === text).length === 1;

/** The largest id that can come out, by the text or by what frames it. */
export function largestId(
  { model, added_tokens }: TokenizerJson,
  { single, pair }: Pick<Templates, 'single' | 'pair'>,
): number {
  const framing = [...single, ...pair].map((item) => (typeof item === 'number' ? item : 0));
  const added = [...added_tokens.map(({ id }) => id), ...framing].reduce((a, b) => Math.max(a, b), 0);
  if (Array.isArray(model.vocab)) return Math.max(added, model.vocab.length - 1);
  // A blank line of vocab.txt is a token without a character, which no text has.
  return Object.entries(model.vocab as Readonly<Record<string, number>>).reduce(
    (largest, [token, id]) => (token === '' ? largest : Math.max(largest, id)),
    added,
  );
}

/**
 * Whether the text's tokens are those of its words, split at blanks and line ends, one after another: then a word's
 * tokens need to be found only once. So it is for BERT, and for T5 where words are split before the model sees them.
 */
export function isWordByWord({ added_tokens, normalizer, pre_tokenizer }: TokenizerJson): boolean {
  if (added_tokens.some(({ content, lstrip, rstrip }) => lstrip || rstrip || /\s/.test(content)))
    return false;
  if (pre_tokenizer?.type === 'BertPreTokenizer') {
    return normalizer?.type === 'BertNormalizer' && normalizer.clean_text !== false;
  }
  const [first, second, ...rest] = pre_tokenizer?.pretokenizers ?? [];
  const isSplitFirst = first?.type === 'WhitespaceSplit' && second?.type === 'Metaspace' && rest.length === 0;
  const isPrefixed =
    isSplitFirst &&
    (second.prepend_scheme ?? (second.add_prefix_space === false ? '' : 'always')) === 'always';
  return isPrefixed && (normalizer === null || /^(Precompiled|NFK?[CD])$/.test(normalizer.type));
}

/** @throws BenchError CHECKPOINT_INVALID where it is not a tokenizer.json */
export function checkTokenizerJson(value: unknown, source: string): TokenizerJson {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw broken(source, 'it is not a JSON object');
  const missing = tokenizerMembers.filter((member) => !(member in value));
  if (missing.length > 0) throw broken(source, `it lacks ${missing.join(', ')}`);
  const [fault] = tokenizerFaults(value);
  if (fault !== undefined) throw broken(source, fault);
  const json = value as TokenizerJson;
  const { unk_id: unknown, vocab } = json.model;
  if (Array.isArray(vocab) && typeof unknown === 'number' && unknown >= vocab.length)
    throw broken(source, `$.model.unk_id is ${unknown}, and its vocab holds ${vocab.length} tokens`);
  return json;
}

function broken(source: string, what: string): BenchError {
  return new BenchError('CHECKPOINT_INVALID', `${source} is not a usable tokenizer: ${what}.`, {
    hint: 'Copy or download it again, or have a current version of transformers save it: AutoTokenizer.from_pretrained(...).save_pretrained(...).',
  });
}
