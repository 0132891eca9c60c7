/** Words and terms as Lucene's StandardTokenizer and EnglishAnalyzer make them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EnglishAnalyzer, englishStopWords } from '../harness/text/english-analyzer.js';
import { eachWord } from '../harness/text/word-break.js';

function words(text: string): string[] {
  const found: string[] = [];
  eachWord(text, (start, end) => found.push(text.slice(start, end)));
  return found;
}

describe('words', () => {
  // The rules of UAX #29 that Lucene's tokenizer is generated from, one case or more each.
  for (const [text, expected] of [
    ['', []],
    [' \t\n', []],
    ['...!?', []],
    ['Hello, world!', ['Hello', 'world']],
    ["don't O’Neil 'quoted'", ["don't", 'O’Neil', 'quoted']],
    ['U.S.A. e.g. 3.14 1,000.50 1;2', ['U.S.A', 'e.g', '3.14', '1,000.50', '1;2']],
    ['a.b 1.b a.1 a,b 1:2 a:b', ['a.b', '1', 'b', 'a', '1', 'a', 'b', '1', '2', 'a:b']],
    ['wi-fi and/or x+y', ['wi', 'fi', 'and', 'or', 'x', 'y']],
    ['snake_case _lead __ trail_ 3_4', ['snake_case', '_lead', 'trail_', '3_4']],
    ['B2B 4x4 2nd', ['B2B', '4x4', '2nd']],
    ['me@example.com', ['me', 'example.com']],
    ['cafe\u0301 naïve Zürich', ['cafe\u0301', 'naïve', 'Zürich']],
    ['漢字 かな カタカナ', ['漢', '字', 'か', 'な', 'カタカナ']],
    ['𠀀𠀁', ['𠀀', '𠀁']],
    ['Привет мир', ['Привет', 'мир']],
    ['שלום عالم', ['שלום', 'عالم']],
    ['٣٫٥ १२', ['٣', '٥', '१२']],
    ['soft\u00ADhyphen zero\u200Dwidth', ['soft\u00ADhyphen', 'zero\u200Dwidth']],
    ['𝐛old', ['𝐛old']],
    ['a\uD800b', ['a', 'b']],
    ['end.', ['end']],
    ["rock'n'roll's", ["rock'n'roll's"]],
  ] as const) {
    test(JSON.stringify(text), () => assert.deepEqual(words(text), expected));
  }

  test('a word of more than 255 letters is cut', () => {
    assert.deepEqual(
      words(`${'x'.repeat(600)} y`).map(({ length }) => length),
      [255, 255, 90, 1],
    );
  });
});

describe('terms', () => {
  const analyze = async (text: string, stemmer: 'porter' | 'english' | 'none' = 'porter', stopWords = true) =>
    (await EnglishAnalyzer.open({ stemmer, stopWords })).terms(text);

  test('there are 33 stop words', () => assert.equal(englishStopWords.size, 33));

  test('possessives, capitals and stop words go, the rest is stemmed', async () => {
    const text = "The dog's owners' RUNNING O’NEIL’S and It's into an A";
    assert.deepEqual(await analyze(text), ['dog', 'owner', 'run', 'o’neil']);
    assert.deepEqual(await analyze('not to be', 'none', false), ['not', 'to', 'be']);
    assert.deepEqual(await analyze('The Cats', 'none'), ['cats']);
    assert.deepEqual(await analyze('The Cats', 'none'), ['cats'], 'the second time as the first');
  });

  // The examples of Porter's paper, An algorithm for suffix stripping, 1980, and of his published vocabulary.
  const porter = `caresses caress, ponies poni, ties ti, caress caress, cats cat, feed feed, agreed agre, plastered plaster,
    bled bled, motoring motor, sing sing, conflated conflat, troubled troubl, sized size, hopping hop, tanned tan,
    falling fall, hissing hiss, fizzed fizz, failing fail, filing file, happy happi, sky sky, relational relat,
    conditional condit, rational ration, valenci valenc, digitizer digit, conformabli conform, radicalli radic,
    differentli differ, vileli vile, analogousli analog, vietnamization vietnam, predication predic, operator oper,
    feudalism feudal, decisiveness decis, hopefulness hope, callousness callous, formaliti formal, sensitiviti sensit,
    sensibiliti sensibl, triplicate triplic, formative form, formalize formal, electriciti electr, electrical electr,
    hopeful hope, goodness good, revival reviv, allowance allow, inference infer, airliner airlin, gyroscopic gyroscop,
    adjustable adjust, defensible defens, irritant irrit, replacement replac, adjustment adjust, dependent depend,
    adoption adopt, communism commun, activate activ, angulariti angular, homologous homolog, effective effect,
    bowdlerize bowdler, probate probat, rate rate, cease ceas, controll control, roll roll, generalizations gener,
    oscillators oscil, yearly yearli, by by, archaeology archaeolog`;
  test("Porter's own examples", async () => {
    for (const pair of porter.split(/,\s*/)) {
      const [word, stem] = pair.split(' ') as [string, string];
      assert.deepEqual(await analyze(word, 'porter', false), [stem], word);
    }
  });

  // From the sample vocabulary of the English stemmer, where it differs from Porter's first.
  test('Porter2 by option', async () => {
    for (const [word, stem] of [
      ['generously', 'generous'],
      ['generate', 'generat'],
      ['skies', 'sky'],
      ['dying', 'die'],
      ['news', 'news'],
      ['consistently', 'consist'],
      ['knightly', 'knight'],
    ] as const) {
      assert.deepEqual(await analyze(word, 'english'), [stem], word);
    }
  });
});

test('a word goes on by what its last letter is, not its first', () => {
  assert.deepEqual(words('a1,2 1a.b'), ['a1,2', '1a.b']);
  assert.deepEqual(words('1a,2 a1.b'), ['1a', '2', 'a1', 'b']);
  assert.deepEqual(words('a_カカ aカ'), ['a_カカ', 'a', 'カ']);
});

test('words are remembered up to half a million, and then looked up anew', async () => {
  const analyzer = await EnglishAnalyzer.open({ stemmer: 'none', stopWords: false });
  const asked: string[] = [];
  const read = analyzer.numbered((term) => asked.push(term));
  const limit = 2 ** 19;
  const numbersOf = (...words: string[]) => {
    const before = asked.length;
    read(words.join(' '), () => undefined);
    return asked.slice(before);
  };
  for (let i = 1; i < limit; i++) read(`w${i}`, () => undefined);
  assert.deepEqual(numbersOf('w1', 'W1', 'w1'), ['w1'], 'the first was known, and its other case was not');
  assert.deepEqual(numbersOf('w2', 'last', 'w2'), ['last', 'w2']);
});
