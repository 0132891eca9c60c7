/** Tokens sought in the text itself, what the files beside tokenizer.json say of them, and the lengths that texts are padded to. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type AddedToken, AddedTokens } from '../harness/text/added-tokens.js';
import { bucketOf, paddedLength, padTexts } from '../harness/text/padding.js';
import { tokenizerInEffect } from '../harness/text/tokenizer-config.js';
import type { TokenizerJson } from '../harness/text/tokenizer-file.js';
import { inFixtures } from './places.js';

const split = (text: string, ...tokens: [content: string, flags?: Partial<AddedToken>][]) =>
  new AddedTokens(tokens.map(([content, flags], id) => [content, { id, content, ...flags }])).split(text);

test('leftmost first, and the longest of those that begin at one place', () => {
  assert.deepEqual(split('xabcab', ['ab'], ['abc'], ['b']), [{ text: 'x', start: 0 }, 1, 0]);
  assert.deepEqual(split('abc', ['bc'], ['ab']), [1, { text: 'c', start: 2 }]);
  assert.deepEqual(split('a.c abc', ['a.c']), [0, { text: ' abc', start: 3 }]);
  assert.deepEqual(split('aa', ['a']), [0, 0]);
  assert.deepEqual(split('a', ['b']), [{ text: 'a', start: 0 }]);
  assert.deepEqual(split('a', ['']), [{ text: 'a', start: 0 }]);
  for (const tokens of [[], [['a']]] as [string][][]) assert.deepEqual(split('', ...tokens), []);
});

test('a word alone is one beside which no letter stands, of one or two UTF-16 units', () => {
  const found = (text: string) => split(text, ['lamp', { single_word: true }]).includes(0);
  for (const text of ['lamp', 'a lamp', 'lamp a', '(lamp)', 'lamp,', '\u{1f600}lamp\u{1f600}'])
    assert.ok(found(text), text);
  for (const text of ['alamp', 'lamps', 'lamp_', '5lamp', 'lamp\u0301', '\u{10428}lamp', 'lamp\u{10428}'])
    assert.ok(!found(text), text);
  assert.ok(split('alamp', ['lamp']).includes(0));
});

test('white space is taken before a token, behind it, or not at all', () => {
  const text = 'a \n[X] \tb';
  assert.deepEqual(split(text, ['[X]']), [{ text: 'a \n', start: 0 }, 0, { text: ' \tb', start: 6 }]);
  assert.deepEqual(split(text, ['[X]', { lstrip: true }]), [
    ...[{ text: 'a', start: 0 }, 0],
    { text: ' \tb', start: 6 },
  ]);
  assert.deepEqual(split(text, ['[X]', { rstrip: true }]), [
    ...[{ text: 'a \n', start: 0 }, 0],
    { text: 'b', start: 8 },
  ]);
  // To the ends of the text, and not into the token before.
  assert.deepEqual(split('  [X]  ', ['[X]', { lstrip: true, rstrip: true }]), [0]);
  assert.deepEqual(split('[X] [X]', ['[X]', { lstrip: true }]), [0, 0]);
  assert.deepEqual(split('[Y] [X]', ['[X]', { lstrip: true }], ['[Y]', { rstrip: true }]), [1, 0]);
});

const json = JSON.parse(readFileSync(inFixtures('model/wordpiece.json'), 'utf8')) as TokenizerJson;
const size = Object.keys(json.model.vocab).length;

test('tokens that the other files add stand by their id, each with the flags that its file gives', () => {
  const { added_tokens: added } = tokenizerInEffect(json, {
    config: {
      added_tokens_decoder: {
        [size + 1]: { content: '[B]', lstrip: true },
        [size]: { content: '[A]', special: true },
      },
      mask_token: { content: '[MASK]' },
      additional_special_tokens: ['the'],
    },
    added: { '[C]': size + 2, '[A]': size },
    specials: { bos_token: 'keeper' },
  });
  const vocab = json.model.vocab as Record<string, number>;
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
  const expected: AddedToken[] = [
    ...json.added_tokens,
    { ...flags, id: vocab.the!, content: 'the', special: true },
    { ...flags, id: vocab.keeper!, content: 'keeper', special: true },
    { ...flags, id: size, content: '[A]', special: true },
    { ...flags, id: size + 1, content: '[B]', lstrip: true },
    { ...flags, id: size + 2, content: '[C]', normalized: true },
  ];
  assert.deepEqual(
    added,
    expected.sort((a, b) => a.id - b.id),
  );
});

test("case, accents and ideographs are the configuration's for BERT, the file's for others", () => {
  const given = { ...json.normalizer!, lowercase: false, strip_accents: true, handle_chinese_chars: false };
  const normalizer = (config: object) =>
    tokenizerInEffect({ ...json, normalizer: given }, { config: { ...config } }).normalizer;
  const usual = { ...given, lowercase: true, strip_accents: null, handle_chinese_chars: true };
  for (const name of ['Bert', 'DistilBert', 'Electra', 'MobileBert', 'MPNet'])
    for (const tokenizer_class of [`${name}Tokenizer`, `${name}TokenizerFast`])
      assert.deepEqual(normalizer({ tokenizer_class }), usual, tokenizer_class);
  assert.deepEqual(normalizer({}), usual);
  const own = { do_lower_case: false, strip_accents: true, tokenize_chinese_chars: false };
  assert.deepEqual(normalizer(own), given);
  for (const tokenizer_class of ['PreTrainedTokenizerFast', 'TokenizersBackend'])
    assert.deepEqual(normalizer({ tokenizer_class, do_lower_case: true }), given, tokenizer_class);
  // One that is not known is taken where both say the same.
  assert.deepEqual(normalizer({ tokenizer_class: 'OtherTokenizer', ...own }), given);
  assert.throws(() => normalizer({ tokenizer_class: 'OtherTokenizer' }), /of which it is not known/);
  const nfc = { ...json, normalizer: { type: 'NFC' } } as TokenizerJson;
  assert.deepEqual(tokenizerInEffect(nfc, { config: {} }).normalizer, { type: 'NFC' });
});

test('texts are padded to the next of a few lengths, never above the longest', () => {
  const steps = [8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512];
  for (const [i, length] of steps.entries()) {
    assert.equal(bucketOf(length, 1000), length);
    assert.equal(bucketOf((steps[i - 1] ?? 0) + 1, 1000), length);
  }
  assert.equal(bucketOf(513, 1000), 513);
  assert.equal(bucketOf(9, 12), 12);
  assert.equal(paddedLength([Int32Array.of(1), new Int32Array(17), new Int32Array(3)], 100), 24);
  assert.equal(paddedLength([], 100), 8);
  assert.deepEqual(padTexts([Int32Array.of(5, 6), Int32Array.of(7, 8, 9)], 3, 4, 3), {
    ids: Int32Array.of(5, 6, 4, 7, 8, 9, 4, 4, 4),
    mask: Float32Array.of(1, 1, 0, 1, 1, 1, 0, 0, 0),
  });
  assert.deepEqual(padTexts([Int32Array.of(5)], 1, 0), { ids: Int32Array.of(5), mask: Float32Array.of(1) });
});
