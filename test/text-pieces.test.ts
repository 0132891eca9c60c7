/** Word pieces against the definition of byte pair encoding, counted anew at every step, and which words take part. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { learnPieces } from '../harness/text/pieces.js';
import { buildVocabulary } from '../harness/text/vocabulary.js';

/** The same as `learnPieces`: every pair is counted again before each join. */
function piecesByDefinition(words: ReadonlyMap<string, number>, size: number, limit: number): string[] {
  const characters = new Map<string, number>();
  for (const [word, count] of words)
    for (const character of word) characters.set(character, (characters.get(character) ?? 0) + count);
  const known = [...characters]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, Math.min(limit, Math.floor(size / 2)))
    .map(([character]) => character)
    .sort();
  const spelled = [...words]
    .map(([word, count]) => ({ letters: [...word], count }))
    .filter(({ letters }) => letters.every((letter) => known.includes(letter)));
  const isInner = (letter: string) => spelled.some(({ letters }) => letters.lastIndexOf(letter) > 0);
  const pieces = [...known];
  for (const letter of known) if (isInner(letter) || /[a-z0-9]/.test(letter)) pieces.push(`##${letter}`);
  const texts = spelled.map(({ letters, count }) => ({
    parts: letters.map((letter, i) => (i === 0 ? letter : `##${letter}`)),
    count,
  }));
  while (pieces.length < size) {
    const counts = new Map<string, number>();
    for (const { parts, count } of texts)
      for (let i = 1; i < parts.length; i++) {
        const pair = `${parts[i - 1]} ${parts[i]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + count);
      }
    const places = (pair: string) => pair.split(' ').map((piece) => pieces.indexOf(piece));
    const [best] = [...counts].sort(([a, m], [b, n]) => {
      const [[left, right], [otherLeft, otherRight]] = [places(a), places(b)] as [number[], number[]];
      return n - m || left! - otherLeft! || right! - otherRight!;
    });
    if (best === undefined || best[1] < 2) break;
    const [left, right] = best[0].split(' ') as [string, string];
    const joined = left + right.slice(2);
    if (!pieces.includes(joined)) pieces.push(joined);
    for (const { parts } of texts)
      for (let i = 1; i < parts.length; i++)
        if (parts[i - 1] === left && parts[i] === right) parts.splice(i - 1, 2, joined);
  }
  return pieces;
}

test('pieces are those of the definition, whatever the words, their counts and the limits', () => {
  const random = stream(1, 'pieces');
  for (const letters of ['ab', 'abcd', 'aé-中x']) {
    for (let round = 0; round < 12; round++) {
      const words = new Map<string, number>();
      for (let i = 0; i < 30; i++) {
        const word = Array.from({ length: 1 + random.integer(8) }, () => random.choose([...letters])).join(
          '',
        );
        words.set(word, 1 + random.integer(3));
      }
      const [size, limit] = [4 + random.integer(60), 2 + random.integer(5)];
      const message = `${JSON.stringify([...words])}, ${size}, ${limit}`;
      assert.deepEqual(learnPieces(words, size, limit), piecesByDefinition(words, size, limit), message);
    }
  }
});

/** The tokens made of texts, without the five special ones. */
async function tokensOf(...given: Parameters<typeof buildVocabulary>): Promise<string[]> {
  const { vocab } = (await buildVocabulary(...given)).model;
  return Object.keys(vocab).slice(5);
}

test('one word too many forgets the rarest until half of the limit is left', async () => {
  const texts = ['aaa aaa aaa', 'bbb bbb bbb', 'ccc ccc', 'ddd'];
  const starts = async (more: string[], wordLimit = 4) =>
    (await tokensOf([...texts, ...more], { wordLimit })).filter((token) => token.length === 1);
  assert.deepEqual(await starts([]), ['a', 'b', 'c', 'd'], 'four words are not too many');
  // ddd and eee, seen once, are not enough: three are left.
  assert.deepEqual(await starts(['eee']), ['a', 'b']);
  assert.deepEqual(await starts(['eee', 'ddd fff']), ['a', 'b', 'd', 'f']);
  assert.deepEqual(await starts(['eee fff ggg'], 6), ['a', 'b', 'c']);
});

test('words of up to 100 characters are taken, of any number of UTF-16 units', async () => {
  assert.deepEqual(await tokensOf(['x'.repeat(101)]), []);
  for (const letter of ['x', '\u{10428}']) {
    assert.ok((await tokensOf([letter.repeat(100)])).includes(letter), letter);
    assert.deepEqual(await tokensOf([letter.repeat(101)]), [], letter);
  }
});

test('of very many characters the thousand most frequent are taken, and never more than half of the size', async () => {
  const ideographs = Array.from({ length: 9000 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join('');
  assert.equal((await tokensOf([ideographs.slice(0, 1001)])).length, 1000);
  assert.equal((await tokensOf([ideographs], { size: 25, characterLimit: 1000 })).length, 10);
  // Of 8,000 tokens, where nothing else is said.
  assert.equal((await tokensOf([ideographs], { characterLimit: 9000 })).length, 3997);
});
