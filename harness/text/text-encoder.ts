/**
 * From a text to token ids: added tokens, normalizer, pre-tokenizer, model. The models are those of @huggingface/tokenizers; what
 * comes before is ours, because the library differs from the fast tokenizers there (character maps, sigma, words of one token).
 */
import { AddedTokens } from './added-tokens.js';
import { normalizerOf } from './normalizer.js';
import { preTokenizerOf } from './pre-tokenizer.js';
import type { TokenizerJson } from './tokenizer-file.js';

/** What is used of the library's Tokenizer. */
interface Library {
  Tokenizer: new (
    json: object,
    config: object,
  ) => { encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] } };
}

/** Ids of a text, without special tokens around it. */
export type EncodeText = (text: string) => number[];

/** @throws Error that says what cannot be used */
export async function textEncoderOf(json: TokenizerJson): Promise<EncodeText> {
  const { Tokenizer } = (await import('@huggingface/tokenizers')) as unknown as Library;
  const normalize = normalizerOf(json.normalizer);
  const preTokenize = preTokenizerOf(json.pre_tokenizer);
  const model = new Tokenizer(
    {
      ...json,
      // Of added tokens it would make entries of the model's vocabulary.
      added_tokens: [],
      normalizer: null,
      post_processor: null,
      pre_tokenizer: preTokenize === undefined ? json.pre_tokenizer : null,
    },
    {},
  );
  const modelIds = (text: string) => model.encode(text, { add_special_tokens: false }).ids;
  const { added_tokens: added } = json;
  const asTheyStand = new AddedTokens(
    added.flatMap((each) => (each.normalized ? [] : [[each.content, each]])),
  );
  const normalized = new AddedTokens(
    added.flatMap((each) => (each.normalized ? [[normalize(each.content), each]] : [])),
  );
  return (text) => {
    const ids: number[] = [];
    for (const section of asTheyStand.split(text)) {
      if (typeof section === 'number') {
        ids.push(section);
        continue;
      }
      for (const part of normalized.split(normalize(section.text))) {
        if (typeof part === 'number') ids.push(part);
        else if (preTokenize === undefined) ids.push(...modelIds(part.text));
        else {
          const isFirst = section.start === 0 && part.start === 0;
          for (const word of preTokenize(part.text, isFirst)) ids.push(...modelIds(word));
        }
      }
    }
    return ids;
  };
}
