/** Patterns of Python run by JavaScript: verdicts of Python's regex module (2024), IGNORECASE, UNICODE and MULTILINE. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownPattern, tooSlow } from '../harness/text/guarded-pattern.js';
import { pythonPattern } from '../harness/text/python-pattern.js';

const verdicts: [pattern: string, found: string[], missed: string[]][] = [
  ['a.b', ['a\rb', 'A\u2028B'], ['a\nb', 'ab']],
  ['[ac].b', ['a\rb'], ['a\nb', '.xb']],
  ['[.]', ['.'], ['a']],
  ['[$^]', ['$', '^'], ['a', '']],
  ['^b', ['b', 'a\nb'], ['a\rb', 'ab']],
  ['a$', ['a', 'a\nb'], ['a\rb', 'ab']],
  ['\\Ab', ['b'], ['a\nb']],
  ['a\\Z', ['a'], ['a\n']],
  ['[]a]', [']', 'a'], ['[']],
  ['[^]a]', ['b', '['], [']', 'a', '']],
  ['[[a]', ['[', 'a'], ['\\', 'b']],
  ['[a]]', ['a]'], ['a', ']']],
  ['^a{,2}b', ['b', 'ab', 'aab'], ['aaab']],
  ['^a{2}$', ['aa'], ['a', 'aaa']],
  ['^a{2,}$', ['aa', 'aaa'], ['a']],
  ['a{x}', ['a{x}'], ['a']],
  ['{', ['{'], ['}']],
  ['}', ['}'], ['{']],
  [']', [']'], ['[']],
  ['(?P<y>[ab])-(?P=y)', ['a-a', 'b-b'], ['a-b']],
  ['(?P<y>a)(?P<z>b)(?P=z)(?P=y)', ['abba'], ['abab']],
  ['(?:a|b)c', ['ac', 'bc'], ['c']],
  ['\\ba\\b', ['a', 'é a ö', '(a)'], ['éa', 'a1', 'a_', 'a\u0301']],
  ['\\Ba', ['éa', '1a'], ['a', ' a']],
  ['a\\B', ['ab'], ['a', 'a ']],
  ['\\d', ['1', '\u0663'], ['a', '\u00bd']],
  ['\\D', ['a'], ['1', '\u0663']],
  ['[^\\d]', ['a'], ['1', '\u0663']],
  ['\\w', ['é', '_', '\u0663', '\u0301'], [' ', '-']],
  ['\\W', [' ', '\n', '-'], ['é', '_']],
  ['[\\w-]', ['é', '-'], [' ']],
  ['\\s', [' ', '\u00a0', '\u2003'], ['a', '\u200b']],
  ['\\S', ['a'], [' ', '\u00a0']],
  ['[\\s]', ['\u00a0'], ['s', 'a']],
  ['[\\b]', ['\b'], ['b']],
  ['\\a', ['\x07'], ['a']],
  ['\\-', ['-'], ['\\']],
  ['[a\\-z]', ['-', 'a', 'z'], ['b', '\\']],
  ['\\"\\\'\\ ', ['"\' '], ['"\'']],
  ['\\.', ['.'], ['a']],
  ['\\\\', ['\\'], ['/']],
  ['\\p{Nd}\\P{Nd}', ['1a'], ['11', 'aa']],
  ['[\\p{Nd}x]', ['1', 'X'], ['p', '{']],
  ['ß|Ä', ['ß', 'ä'], ['a']],
];

test('each pattern finds what it finds in Python, and nothing else', () => {
  for (const [pattern, found, missed] of verdicts) {
    const own = pythonPattern(pattern);
    assert.ok(own, pattern);
    for (const text of found) assert.equal(own.test(text), true, `${pattern} in ${JSON.stringify(text)}`);
    for (const text of missed) assert.equal(own.test(text), false, `${pattern} in ${JSON.stringify(text)}`);
  }
});

test('what cannot be run is said to be none', () => {
  for (const pattern of ['(', 'a\\', '[', '[z-a]', '*', '(?P=y)', '(?P<y', 'a{3,2}', 'a'.repeat(100_000)])
    assert.equal(pythonPattern(pattern), undefined, pattern.slice(0, 9));
});

test('a text that a pattern takes too long over is shown by its first 40 characters', () => {
  const { code, message } = tooSlow('It', `${'a'.repeat(39)}bc`, 'DATA_INVALID');
  assert.equal(code, 'DATA_INVALID');
  assert.match(
    message,
    /^It takes more than [\d.]+ seconds over a text of 41 characters that begins with "a{39}b"\.$/,
  );
});

test('a pattern is shown by its first 80 characters, and how many more there are', () => {
  for (const [length, shown] of [
    [0, '""'],
    [80, `"${'a'.repeat(80)}"`],
    [81, `"${'a'.repeat(80)}" and 1 more characters`],
    [1000, `"${'a'.repeat(80)}" and 920 more characters`],
  ] as const)
    assert.equal(shownPattern('a'.repeat(length)), shown);
});
