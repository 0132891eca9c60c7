/** What the files of a tokenizer say together: as transformers reads them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { bertSpecials } from '../harness/text/bert-tokenizer.js';
import { checkVocabulary, makeTokenizer } from '../harness/text/tokenizer.js';
import type { TokenizerJson } from '../harness/text/tokenizer-file.js';
import { loadTokenizer } from '../harness/text/tokenizer-folder.js';
import { inFixtures, sharedData } from './places.js';

interface Case {
  lowercase?: boolean;
  added?: TokenizerJson['added_tokens'];
  config?: object;
  more?: Record<string, object>;
  ids: number[][];
}

const { texts, cases } = JSON.parse(readFileSync(inFixtures('model/published.json'), 'utf8')) as {
  texts: string[];
  cases: Record<string, Case>;
};
const base = () => JSON.parse(readFileSync(inFixtures('model/wordpiece.json'), 'utf8')) as TokenizerJson;

/** A folder with these files, an object as JSON. */
async function withFiles<T>(
  files: Readonly<Record<string, object | string>>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-tokenizer-'));
  try {
    for (const [name, content] of Object.entries(files))
      await writeFile(
        path.join(folder, name),
        typeof content === 'string' ? content : JSON.stringify(content),
      );
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const changed = ({ lowercase = true, added = [] }: Pick<Case, 'lowercase' | 'added'>): TokenizerJson => {
  const json = base();
  return {
    ...json,
    normalizer: { ...json.normalizer!, lowercase },
    added_tokens: [...json.added_tokens, ...added],
  };
};

describe('ids as transformers gives them', () => {
  for (const [name, { lowercase = true, added = [], config, more, ids }] of Object.entries(cases)) {
    test(name, async () => {
      const files = {
        'tokenizer.json': changed({ lowercase, added }),
        'tokenizer_config.json': config ?? {},
        ...more,
      };
      const tokenizer = await withFiles(files, loadTokenizer);
      for (const [i, text] of texts.entries()) assert.deepEqual(tokenizer.encodeText(text), ids[i], text);
      // What is saved with a checkpoint is the tokenizer in effect.
      const again = await withFiles(tokenizer.files, loadTokenizer);
      assert.equal(again.sha256, tokenizer.sha256);
      for (const [i, text] of texts.entries()) assert.deepEqual(again.encodeText(text), ids[i], text);
    });
  }
});

test("case is tokenizer_config.json's: under a lower-case vocabulary a text then begins with [UNK]", async () => {
  const unknown = base().model.vocab as Record<string, number>;
  const tokenizer = await makeTokenizer(base(), { do_lower_case: false });
  assert.equal(tokenizer.encodeText('Hello world')[0], unknown['[UNK]']);
  const lowered = await makeTokenizer(changed({ lowercase: false }), { do_lower_case: true });
  assert.notEqual(lowered.encodeText('Hello world')[0], unknown['[UNK]']);
});

test('what decides the tokens has a hash of its own: case and accents change it, a comment does not', async () => {
  const tokens = [...bertSpecials, 'a', 'b'];
  const of = async (config: object) =>
    (
      await withFiles(
        { 'vocab.txt': `${tokens.join('\n')}\n`, 'tokenizer_config.json': config },
        loadTokenizer,
      )
    ).sha256;
  const hashes = await Promise.all(
    [{}, { do_lower_case: false }, { strip_accents: false }, { tokenize_chinese_chars: false }].map(of),
  );
  assert.equal(new Set(hashes).size, 4);
  assert.equal(await of({ do_lower_case: true, model_max_length: 512 }), hashes[0]);
});

test('a blank last line of vocab.txt is a token that cannot occur, and needs no row', async () => {
  const vocabulary = `${[...bertSpecials, 'a', 'b'].join('\n')}\n\n`;
  const tokenizer = await withFiles({ 'vocab.txt': vocabulary }, loadTokenizer);
  assert.equal(tokenizer.vocabularySize, 7);
  checkVocabulary(tokenizer, { vocabularySize: 7 });
  assert.deepEqual(tokenizer.encodeText('a  b \n'), [5, 6]);
  const inTheMiddle = `${[...bertSpecials, '', 'b'].join('\n')}\n`;
  const second = await withFiles({ 'vocab.txt': inTheMiddle }, loadTokenizer);
  assert.deepEqual(second.encodeText('b'), [6]);
});

test('T5: U+0085 within a text is white space', async (t) => {
  const folder = path.join(sharedData, 'tiny-models/T5ForConditionalGeneration');
  if (!existsSync(folder)) return t.skip(`no data at ${folder}: set STRATA_TEST_DATA`);
  const tokenizer = await loadTokenizer(folder);
  assert.deepEqual(tokenizer.encodeText('a\u0085b'), tokenizer.encodeText('a b'));
});

test('what the files say against each other, or what is not known, is refused by name', async () => {
  const size = Object.keys(base().model.vocab).length;
  const lamp = { content: 'lamp', single_word: true };
  for (const [files, message] of [
    [
      { 'tokenizer_config.json': { tokenizer_class: 'BertJapaneseTokenizer', do_lower_case: false } },
      /names BertJapaneseTokenizer/,
    ],
    [{ 'tokenizer_config.json': { split_special_tokens: true } }, /split_special_tokens/],
    [{ 'tokenizer_config.json': { mask_token: '<mask>' } }, /names the special token '<mask>'/],
    [
      { 'special_tokens_map.json': { additional_special_tokens: ['[X]'] } },
      /special_tokens_map\.json names .*'\[X\]'/,
    ],
    [
      { 'tokenizer_config.json': { added_tokens_decoder: { 2: lamp } } },
      /says that 'lamp' is token 2, and tokenizer\.json has '\[CLS\]' there/,
    ],
    [
      { 'added_tokens.json': { the: size } },
      /added_tokens\.json says that 'the' is token \d+, and .* has it as \d+/,
    ],
    [{ 'tokenizer_config.json': [] }, /tokenizer_config\.json does not hold a JSON object/],
    [
      {
        'tokenizer.json': { ...base(), normalizer: { type: 'NFC' } },
        'tokenizer_config.json': { tokenizer_class: 'BertTokenizer' },
      },
      /its normalizer is NFC, and tokenizer_config\.json names BertTokenizer/,
    ],
  ] as [Record<string, object>, RegExp][]) {
    const all = { 'tokenizer.json': base(), ...files };
    await assert.rejects(withFiles(all, loadTokenizer), { code: 'CHECKPOINT_INVALID', message });
  }
});

test('vocab.txt is read as the file beside it says, of whatever class that calls the tokenizer', async () => {
  const tokens = [...bertSpecials, 'a', 'A', 'é', 'e', '文', '文a'];
  const of = (config: object) =>
    withFiles({ 'vocab.txt': tokens.join('\n'), 'tokenizer_config.json': config }, async (folder) => {
      const tokenizer = await loadTokenizer(folder);
      return ['A', 'é', '文a'].map((text) =>
        tokenizer
          .encodeText(text)
          .map((id) => tokens[id])
          .join(' '),
      );
    });
  for (const tokenizer_class of [undefined, 'BertTokenizer', 'PreTrainedTokenizerFast']) {
    const named = tokenizer_class && { tokenizer_class };
    assert.deepEqual(await of({ ...named }), ['a', 'e', '文 a']);
    assert.deepEqual(await of({ ...named, do_lower_case: false }), ['A', 'é', '文 a']);
    assert.deepEqual(await of({ ...named, strip_accents: false }), ['a', 'é', '文 a']);
    assert.deepEqual(await of({ ...named, tokenize_chinese_chars: false }), ['a', 'e', '文a']);
  }
});
