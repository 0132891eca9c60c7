/** The tokenizer.json of BERT, from a list of its tokens. */
import type { TokenizerJson } from './tokenizer-file.js';

export interface BertTokenizerOptions {
  lowercase?: boolean;
  /** Where absent, accents go with upper case. */
  stripAccents?: boolean | null;
  splitChinese?: boolean;
}

export const bertSpecials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

/**
 * A complete tokenizer.json: BERT's normalization, pre-tokenization, WordPiece and `[CLS] A [SEP] B [SEP]`.
 * @param tokens in the order of their ids; holds all of `bertSpecials`
 */
export function bertTokenizerJson(
  tokens: readonly string[],
  options: BertTokenizerOptions = {},
): TokenizerJson {
  const { lowercase = true, stripAccents = null, splitChinese = true } = options;
  // A blank line of vocab.txt has its number, and no text has its token.
  const vocab: Record<string, number> = Object.fromEntries(
    tokens.flatMap((token, id) => (token === '' ? [] : [[token, id]])),
  );
  const special = (name: string) => ({ id: name, ids: [vocab[name]!], tokens: [name] });
  const text = (id: 'A' | 'B', type_id: number) => ({ Sequence: { id, type_id } });
  const mark = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: bertSpecials.map((content) => ({
      id: vocab[content]!,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: splitChinese,
      strip_accents: stripAccents,
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [mark('[CLS]', 0), text('A', 0), mark('[SEP]', 0)],
      pair: [mark('[CLS]', 0), text('A', 0), mark('[SEP]', 0), text('B', 1), mark('[SEP]', 1)],
      special_tokens: { '[CLS]': special('[CLS]'), '[SEP]': special('[SEP]') },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  } as TokenizerJson;
}
