/** Bytes as letters and words by GPT-2's pattern: the table of its bytes_to_unicode, and where blanks and marks go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byteLevel } from '../harness/text/pre-tokenizer.js';

/** GPT-2's bytes_to_unicode: printable bytes are themselves, the others follow U+0100 in their order. */
function letterOf(byte: number): string {
  const printable = [
    [33, 126],
    [161, 172],
    [174, 255],
  ] as const;
  const isPrintable = (each: number) => printable.some(([first, last]) => each >= first && each <= last);
  const before = Array.from({ length: byte }, (_, each) => each).filter((each) => !isPrintable(each));
  return String.fromCodePoint(isPrintable(byte) ? byte : 256 + before.length);
}

test('each byte of UTF-8 is the letter that it is in GPT-2', () => {
  const whole = byteLevel(false, false);
  for (let code = 0; code < 0x800; code++) {
    const character = String.fromCodePoint(code);
    const expected = [...Buffer.from(character)].map(letterOf).join('');
    assert.deepEqual(whole(character), [expected], `U+${code.toString(16)}`);
  }
  assert.deepEqual(whole('中😀'), [[...Buffer.from('中😀')].map(letterOf).join('')]);
  assert.deepEqual(whole(' \n\t\u007f'), ['ĠĊĉġ']);
});

test('words take the blank before them, and the text one where it is asked for', () => {
  for (const [text, expected] of [
    ['', []],
    ['a b', ['a', 'Ġb']],
    ['a  b', ['a', 'Ġ', 'Ġb']],
    ['a\nb', ['a', 'Ċ', 'b']],
    ['a ', ['a', 'Ġ']],
    ["I'll can't 'x", ['I', "'ll", 'Ġcan', "'t", "Ġ'", 'x']],
    ['ab12!?', ['ab', '12', '!?']],
    ['a 12 !?', ['a', 'Ġ12', 'Ġ!?']],
    ['é\u00a0x', ['Ã©', 'ÂĠ'.replace('Ġ', letterOf(0xa0)), 'x']],
  ] as const)
    assert.deepEqual(byteLevel(false, true)(text), expected, JSON.stringify(text));
  assert.deepEqual(byteLevel(true, true)('a b'), ['Ġa', 'Ġb']);
  assert.deepEqual(byteLevel(true, true)(' a'), ['Ġa']);
  assert.deepEqual(byteLevel(true, false)('a b'), ['ĠaĠb']);
  assert.deepEqual(byteLevel(false, false)('a b'), ['aĠb']);
});
