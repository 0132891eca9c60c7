/** Words by the rules of UAX #29, one rule after another, as Lucene's StandardTokenizer keeps them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachWord } from '../harness/text/word-break.js';

function words(text: string): string[] {
  const found: string[] = [];
  eachWord(text, (start, end) => found.push(text.slice(start, end)));
  return found;
}

test('where words begin and end', () => {
  for (const [text, expected] of [
    ['', []],
    [' ', []],
    ['a', ['a']],
    ['a b', ['a', 'b']],
    ['ab1 2c', ['ab1', '2c']],
    // WB6, WB7: one mark between two letters.
    ["can't", ["can't"]],
    ['a.b', ['a.b']],
    ['a:b', ['a:b']],
    ['a·b', ['a·b']],
    ['a,b', ['a', 'b']],
    ['a;b', ['a', 'b']],
    ['a..b', ['a', 'b']],
    ["a'", ['a']],
    ["'a", ['a']],
    ['a.', ['a']],
    ['a.b.c', ['a.b.c']],
    // WB11, WB12: one mark between two digits.
    ['3.14', ['3.14']],
    ['3,140;5', ['3,140;5']],
    ['3:4', ['3', '4']],
    ['3..4', ['3', '4']],
    ['3.', ['3']],
    ['3.a', ['3', 'a']],
    ['a.3', ['a', '3']],
    ['a1.2b', ['a1.2b']],
    ['1a.b2', ['1a.b2']],
    ['1a.2b', ['1a', '2b']],
    // WB13a, WB13b: connectors; alone they are no word.
    ['a_b', ['a_b']],
    ['_a', ['_a']],
    ['a_', ['a_']],
    ['_', []],
    ['__ a', ['a']],
    ['_._', []],
    ['1_2', ['1_2']],
    ['ア_a', ['ア_a']],
    ['a_ア', ['a_ア']],
    // WB13: Katakana joins its own kind; ideographs and Hiragana stand alone.
    ['アイ', ['アイ']],
    ['アa', ['ア', 'a']],
    ['aア', ['a', 'ア']],
    ['1ア', ['1', 'ア']],
    ['ア1', ['ア', '1']],
    ['漢字', ['漢', '字']],
    ['a漢b', ['a', '漢', 'b']],
    ['あい', ['あ', 'い']],
    ['𠀀𠀁', ['𠀀', '𠀁']],
    // WB4: marks belong to what they follow.
    ['a\u0301b', ['a\u0301b']],
    ['\u0301', []],
    ['\u0301a', ['a']],
    ['漢\u0301\u0301字', ['漢\u0301\u0301', '字']],
    ['a\u0301.\u0301b\u0301', ['a\u0301.\u0301b\u0301']],
    ['a.\u0301', ['a']],
    ['a.\u0301 b', ['a', 'b']],
    ['ア\u0301イ', ['ア\u0301イ']],
    ['a\u{e0100}b', ['a\u{e0100}b']],
    // Letters of two units, emoji, halves of letters.
    ['𝒜𝒷c', ['𝒜𝒷c']],
    ['𝒜.𝒷', ['𝒜.𝒷']],
    ['a😀b', ['a', 'b']],
    ['\ud835a', ['a']],
    ['a\udc00b', ['a', 'b']],
  ] as const)
    assert.deepEqual(words(text), expected, JSON.stringify(text));
});

test('a word of more than 255 units is cut into pieces of so many', () => {
  for (const length of [254, 255, 256, 510, 511]) {
    const pieces = words(`(${'a'.repeat(length)})`);
    assert.equal(pieces.join(''), 'a'.repeat(length));
    assert.equal(pieces.length, Math.ceil(length / 255), `${length}`);
    assert.ok(pieces.slice(0, -1).every((piece) => piece.length === 255));
  }
});
