import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AnswerMatcher, PassageText, tokens } from '../harness/text/answers.js';
import { inFixtures } from './places.js';

interface Fixture {
  cases: { name: string; mode: 'string' | 'regex'; answers: string[]; text: string; matches: boolean }[];
  tokens: { text: string; tokens: string[] }[];
}

// Verdicts of Python's regex module under DPR's rule: see answers.py beside the file.
const fixture = JSON.parse(readFileSync(inFixtures('answers.json'), 'utf8')) as Fixture;

for (const { name, mode, answers, text, matches } of fixture.cases) {
  test(`${mode}: ${name}`, () => {
    const matcher = new AnswerMatcher(answers, mode);
    assert.equal(matcher.matches(text), matches, JSON.stringify({ answers, text }));
    assert.equal(matcher.matches(new PassageText(text)), matches);
  });
}

test('texts split into the words that DPR splits them into', () => {
  for (const { text, tokens: expected } of fixture.tokens) assert.deepEqual(tokens(text), expected);
});

test('the table holds both verdicts of both modes', () => {
  for (const mode of ['string', 'regex'] as const) {
    const verdicts = fixture.cases.filter((each) => each.mode === mode).map((each) => each.matches);
    assert.ok(verdicts.filter((matches) => matches).length >= 20);
    assert.ok(verdicts.filter((matches) => !matches).length >= 15);
  }
});

test('one prepared passage serves both modes and many queries', () => {
  const passage = new PassageText('Ångström was born in Lögdö in 1814.');
  assert.ok(new AnswerMatcher(['lögdö'], 'string').matches(passage));
  assert.ok(!new AnswerMatcher(['logdo'], 'string').matches(passage));
  assert.ok(new AnswerMatcher(['18\\d\\d'], 'regex').matches(passage));
  assert.ok(new AnswerMatcher(['1814.'], 'string').matches(passage));
});

test('patterns that cannot be run are listed', () => {
  const matcher = new AnswerMatcher(['(a', 'b', '[z-a]', '(?P<y>a)(?P=y'], 'regex');
  assert.deepEqual(matcher.unusable, ['(a', '[z-a]', '(?P<y>a)(?P=y']);
  assert.ok(matcher.matches('b'));
  const large = 'a'.repeat(50_000);
  assert.deepEqual(new AnswerMatcher([large], 'regex').unusable, [large]);
  assert.deepEqual(new AnswerMatcher(['(a'], 'string').unusable, []);
});

test('a match is found at the start, in the middle and at the end, and nowhere else', () => {
  const words = ['a', 'b', 'c', 'd'];
  for (let from = 0; from < words.length; from++) {
    for (let to = from + 1; to <= words.length; to++) {
      assert.ok(new AnswerMatcher([words.slice(from, to).join(' ')], 'string').matches(words.join(' ')));
    }
  }
  assert.ok(!new AnswerMatcher(['a c'], 'string').matches(words.join(' ')));
  assert.ok(!new AnswerMatcher(['ab'], 'string').matches(words.join(' ')));
  assert.ok(!new AnswerMatcher(['d a'], 'string').matches(words.join(' ')));
});

test('an answer that every passage holds is told of', () => {
  const matchesAll = (answers: string[], mode: 'string' | 'regex' = 'string') =>
    new AnswerMatcher(answers, mode).matchesAll;
  for (const answers of [[''], ['Rome', ' \t']]) assert.equal(matchesAll(answers), true);
  for (const answers of [[], ['Rome'], ['!']]) assert.equal(matchesAll(answers), false);
  assert.deepEqual(
    [matchesAll(['x*'], 'regex'), matchesAll([''], 'regex'), matchesAll(['x+'], 'regex')],
    [true, true, false],
  );
});
