import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learnPieces } from '../harness/text/pieces.js';
import { makeTokenizer } from '../harness/text/tokenizer.js';
import { buildVocabulary } from '../harness/text/vocabulary.js';

const texts = [
  'The lighthouse keeper climbs the stairs and lights the lamp.',
  'The keeper paints the railing; the captains look for the light.',
  'Café keepers and lighthouse keepers light lamps, lamps and lamps!',
];

function tokensOf(json: { model: { vocab: unknown } }): string[] {
  const entries = Object.entries(json.model.vocab as Record<string, number>);
  return entries.sort(([, a], [, b]) => a - b).map(([token]) => token);
}

test('pairs are joined in the order of their counts, ties by what was learned first', () => {
  // ab 5 + 3, bc 3, then (ab)c 3; xy is seen once and stays in letters.
  const words = new Map([
    ['ab', 5],
    ['abc', 3],
    ['xy', 1],
  ]);
  const letters = ['a', 'b', 'c', 'x', 'y'];
  const learned = learnPieces(words, 100, 10).filter((piece) => piece.replace('##', '').length > 1);
  assert.deepEqual(learned, ['ab', 'abc']);
  const inner = learnPieces(words, 100, 10).filter((piece) => piece.startsWith('##'));
  assert.deepEqual(
    inner,
    letters.map((letter) => `##${letter}`),
  );
});

test('a pair is joined from its second sight on, in one word or in two', async () => {
  const joined = (words: readonly (readonly [string, number])[]) =>
    learnPieces(new Map(words), 100, 10).filter((piece) => piece.replace('##', '').length > 1);
  assert.deepEqual(joined([['xy', 1]]), []);
  assert.deepEqual(joined([['xy', 2]]), ['xy']);
  assert.deepEqual(
    joined([
      ['axy', 1],
      ['bxy', 1],
    ]),
    ['##xy'],
  );
  // The vocabulary of a model with random weights is made of texts in just this way.
  const tokens = tokensOf(await buildVocabulary(['twice once', 'twice'], { size: 100 }));
  assert.ok(tokens.includes('twice') && !tokens.includes('once'), tokens.join(' '));
});

test('runs of one letter, whose pairs overlap', () => {
  const learned = learnPieces(
    new Map([
      ['aaaaa', 4],
      ['aa', 1],
    ]),
    100,
    10,
  );
  // (##a ##a) is counted 3 times 4 and joined from the left: a ##aa ##aa. Then both its pairs count 4.
  assert.deepEqual(learned, ['a', '##a', '##aa', 'aaa', 'aaaaa']);
});

test('the vocabulary makes a complete BERT tokenizer in which nothing of the texts is unknown', async () => {
  const json = await buildVocabulary(texts, { size: 90 });
  const tokens = tokensOf(json);
  assert.deepEqual(tokens.slice(0, 5), ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']);
  assert.equal(new Set(tokens).size, tokens.length);
  assert.ok(tokens.length <= 90);
  const tokenizer = await makeTokenizer(json);
  assert.equal(tokenizer.vocabularySize, tokens.length);
  for (const text of texts) assert.ok(!tokenizer.encodeText(text).includes(1), text);
  assert.deepEqual(tokenizer.encodeText('THE KEEPER'), tokenizer.encodeText('the keeper'));
  // The most frequent words come out whole.
  for (const word of ['the', 'keeper', 'lamps', 'and'])
    assert.equal(tokenizer.encodeText(word).length, 1, word);
});

test('equal texts in any order give the same vocabulary', async () => {
  const forward = await buildVocabulary(texts, { size: 60 });
  const backward = await buildVocabulary([...texts].reverse(), { size: 60 });
  assert.equal(JSON.stringify(forward), JSON.stringify(backward));
  assert.equal(tokensOf(forward).length, 60);
});

test('memory is bounded: the rarest words are forgotten, frequent ones are kept', async () => {
  async function* stream() {
    for (let i = 0; i < 5000; i++) yield `often word${i.toString(36)} again`;
  }
  const tokens = tokensOf(await buildVocabulary(stream(), { size: 400, wordLimit: 100 }));
  assert.ok(tokens.includes('often'));
  assert.ok(tokens.includes('again'));
});

test('characters beyond the limit, overlong words and no texts at all', async () => {
  const few = tokensOf(await buildVocabulary(['aaa aab aac z'], { size: 100, characterLimit: 2 }));
  assert.ok(few.includes('a') && few.includes('b') && !few.includes('z'));
  assert.equal(tokensOf(await buildVocabulary(['x'.repeat(101)])).length, 5);
  assert.equal(tokensOf(await buildVocabulary([])).length, 5);
  assert.equal(tokensOf(await buildVocabulary(['', ' \n '])).length, 5);
});
