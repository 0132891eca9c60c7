/** Normalizers and pre-tokenizers against the fast tokenizers' own, over every character and over texts of all sorts. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Charsmap } from '../harness/text/charsmap.js';
import { type NormalizerJson, normalizerOf } from '../harness/text/normalizer.js';
import { preTokenizerOf } from '../harness/text/pre-tokenizer.js';
import { inFixtures, sharedData } from './places.js';

interface Reference {
  block: number;
  /** Characters that the library's tables are too old for. */
  younger: number[];
  /** By way: a hash of every block of characters. */
  characters: Record<string, string[]>;
  texts: [text: string, made: { bert: string; cased: string; t5: string; words: string[] }][];
}

const reference = JSON.parse(readFileSync(inFixtures('model/normalized.json'), 'utf8')) as Reference;
const tinyT5 = path.join(sharedData, 'tiny-models/T5ForConditionalGeneration/tokenizer.json');
const skip = existsSync(tinyT5) ? false : `no ${tinyT5}: set STRATA_TEST_DATA`;
const ofT5 = () =>
  (
    JSON.parse(readFileSync(tinyT5, 'utf8')) as {
      normalizer: NormalizerJson & { precompiled_charsmap: string };
    }
  ).normalizer;

const bert = (lowercase: boolean, strip_accents: boolean | null) =>
  normalizerOf({
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents,
    lowercase,
  });
const words = preTokenizerOf({ type: 'BertPreTokenizer' })!;

/** The hash of every block: each character between two letters. */
function hashes(make: (text: string) => string | string[]): string[] {
  const younger = new Set(reference.younger);
  return Array.from({ length: 0x110000 / reference.block }, (_, i) => {
    const hash = createHash('sha256');
    for (let code = i * reference.block; code < (i + 1) * reference.block; code++) {
      if ((code >= 0xd800 && code < 0xe000) || younger.has(code)) continue;
      const made = make(`a${String.fromCodePoint(code)}b`);
      hash.update(`${typeof made === 'string' ? made : made.join('\t')}\n`);
    }
    return hash.digest('hex').slice(0, 12);
  });
}

describe('every character', () => {
  for (const lowercase of [true, false]) {
    for (const strip of [null, true, false]) {
      const python = { null: 'None', true: 'True', false: 'False' };
      const name = `bert ${python[`${lowercase}`]} ${python[`${strip}`]}`;
      test(name, () => assert.deepEqual(hashes(bert(lowercase, strip)), reference.characters[name]));
    }
  }
  test("BERT's words", () => {
    assert.deepEqual(
      hashes((text) => words(text, true)),
      reference.characters.bert,
    );
  });
  test('white space', () => {
    const split = preTokenizerOf({ type: 'WhitespaceSplit' })!;
    assert.deepEqual(
      hashes((text) => split(text, true)),
      reference.characters['white space'],
    );
  });
  test("T5's character map", { skip }, () => {
    assert.deepEqual(hashes(normalizerOf(ofT5())), reference.characters.t5);
  });
});

test(`${reference.texts.length} texts of marks, sigmas, ideographs, emoji and controls`, () => {
  for (const [text, made] of reference.texts) {
    assert.equal(bert(true, null)(text), made.bert, JSON.stringify(text));
    assert.equal(bert(false, null)(text), made.cased, JSON.stringify(text));
    assert.deepEqual(words(text, true), made.words, JSON.stringify(text));
  }
});

test("the same texts by T5's character map, graphemes and all", { skip }, () => {
  const normalize = normalizerOf(ofT5());
  for (const [text, made] of reference.texts) assert.equal(normalize(text), made.t5, JSON.stringify(text));
});

test('a capital sigma lowers to the same letter wherever it stands', () => {
  for (const normalize of [bert(true, null), normalizerOf({ type: 'Lowercase' })])
    assert.equal(normalize('\u0391\u03a3 \u03a3\u0391\u03a3.'), '\u03b1\u03c3 \u03c3\u03b1\u03c3.');
});

test('normalizers in sequence, and what they are made of', () => {
  const normalize = normalizerOf({
    type: 'Sequence',
    normalizers: [
      { type: 'Replace', pattern: { String: '$' }, content: '$&' },
      { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
      { type: 'Strip', strip_left: true, strip_right: false },
      { type: 'NFD' },
      { type: 'StripAccents' },
    ],
  });
  assert.equal(normalize('\u0085 \u00e9   $ '), 'e $& ');
  assert.throws(
    () => normalizerOf({ type: 'Nonsense' }),
    /its normalizer is Nonsense; supported: BertNormalizer/,
  );
});

test('a text of a normalizer that is none is refused, not spelled out', () => {
  const replace = { type: 'Replace', pattern: { String: 'a' } };
  for (const content of [{ toString: true }, ['b'], 7, null, undefined])
    assert.throws(
      () => normalizerOf({ ...replace, content } as NormalizerJson),
      /has the content .*, which is no text/,
    );
  assert.equal(normalizerOf({ ...replace, content: '' } as NormalizerJson)('banana'), 'bnn');
  const precompiled = { type: 'Precompiled', precompiled_charsmap: { toString: true } };
  assert.throws(
    () => normalizerOf(precompiled as unknown as NormalizerJson),
    /precompiled_charsmap .*no text/,
  );
});

test('a character map that is cut short is refused', { skip }, () => {
  const blob = Buffer.from(ofT5().precompiled_charsmap, 'base64');
  assert.throws(() => Charsmap.read(blob.subarray(0, 1000).toString('base64')), /1000 bytes is cut short/);
  assert.throws(() => Charsmap.read(''), /0 bytes is cut short/);
});

describe('Metaspace', () => {
  const split = (options: object, text: string, isFirst = true) =>
    preTokenizerOf({ type: 'Metaspace', ...options })!(text, isFirst);
  for (const [what, options, text, expected, isFirst] of [
    ['marks the beginning, and goes with what follows', {}, 'a b  c', ['▁a', '▁b', '▁', '▁c'], true],
    ['does not mark twice', {}, ' a', ['▁a'], true],
    ['never marks where the scheme says so', { prepend_scheme: 'never' }, 'a b', ['a', '▁b'], true],
    ['nor where an older file says so', { add_prefix_space: false }, 'a b', ['a', '▁b'], true],
    ['marks the first text', { prepend_scheme: 'first' }, 'a', ['▁a'], true],
    ['but not a later one', { prepend_scheme: 'first' }, 'a', ['a'], false],
    ['leaves the text whole where it is not to split', { split: false }, 'a b', ['▁a▁b'], true],
  ] as const) {
    test(what, () => assert.deepEqual(split(options, text, isFirst), expected));
  }
});
