/**
 * From a text to token ids: added tokens, normalizer, pre-tokenizer, model. The models are those of @huggingface/tokenizers; what
 * comes before is ours, because the library differs from the fast tokenizers there (character maps, sigma, words of one token).
 */
import { AddedTokens } from './added-tokens.js';
import { tooSlow, underWatch } from './guarded-pattern.js';
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
  const ids = (text: string) => model.encode(text, { add_special_tokens: false }).ids;
  // What is left to the library may be a pattern of the file.
  const hasPattern = preTokenize === undefined && JSON.stringify(json.pre_tokenizer).includes('"Regex"');
  const whose = "A pattern of the tokenizer's pre_tokenizer";
  const modelIds = hasPattern
    ? (text: string) =>
        underWatch(
          () => ids(text),
          () => tooSlow(whose, text, 'CHECKPOINT_INVALID'),
        )
    : ids;
  const { added_tokens: added } = json;
  const asTheyStand = new AddedTokens(
    added.flatMap((each) => (each.normalized ? [] : [[each.content, each]])),
  );
  const normalized = new AddedTokens(
    added.flatMap((each) => (each.normalized ? [[normalize(each.content), each]] : [])),
  );
  return (text) => {
    const found: number[] = [];
    for (const section of asTheyStand.split(text)) {
      if (typeof section === 'number') {
        found.push(section);
        continue;
      }
      for (const part of normalized.split(normalize(section.text))) {
        if (typeof part === 'number') found.push(part);
        else if (preTokenize === undefined) found.push(...modelIds(part.text));
        else {
          const isFirst = section.start === 0 && part.start === 0;
          for (const word of preTokenize(part.text, isFirst)) found.push(...modelIds(word));
        }
      }
    }
    return found;
  };
}
