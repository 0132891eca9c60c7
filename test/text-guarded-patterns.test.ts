/** Patterns that users and files bring end in time, and mean what they meant. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AnswerMatcher } from '../harness/text/answers.js';
import { GuardedPattern, repetitionsIn } from '../harness/text/guarded-pattern.js';
import { normalizerOf } from '../harness/text/normalizer.js';

const exploding = '(?:a+)+b';
const long = 'a'.repeat(60);

describe('a pattern that takes for ever is refused, with what it is and what it was looked for in', () => {
  test('an answer', () => {
    const matcher = new AnswerMatcher(['x', exploding], 'regex');
    assert.equal(matcher.matches('aaab'), true);
    assert.throws(() => matcher.matches(long), {
      code: 'DATA_INVALID',
      message: /answer pattern "\(\?:a\+\)\+b" takes more than 2 seconds over a text of 60 characters/,
    });
    assert.equal(matcher.matches('x'), true, 'and the next text is none the worse for it');
  });

  test('a normalizer of tokenizer.json', () => {
    const normalize = normalizerOf({ type: 'Replace', pattern: { Regex: exploding }, content: '$&' });
    assert.equal(normalize('aab aab'), '$& $&');
    assert.throws(() => normalize(long), { code: 'CHECKPOINT_INVALID', message: /tokenizer's normalizer/ });
  });
});

test('a pattern that is too large is refused, or cannot be used, be it seen from its length or when V8 compiles it', () => {
  const nested = '\\bunaff('.repeat(4000) + ')'.repeat(4000);
  assert.deepEqual(new AnswerMatcher([nested], 'regex').unusable, [nested]);
  const normalizer = { type: 'Replace', pattern: { Regex: 'a'.repeat(40_000) }, content: '' };
  assert.throws(() => normalizerOf(normalizer), {
    code: 'CHECKPOINT_INVALID',
    message: /is too large a pattern/,
  });
  // V8 compiles once for texts of single bytes, and again for others: there it has had enough.
  const matcher = new AnswerMatcher([`\\bu${'na'.repeat(4000)}`], 'regex');
  assert.equal(matcher.matches('unana'), false);
  assert.throws(() => matcher.matches('\u0448 unana'), {
    code: 'DATA_INVALID',
    message: /^The answer pattern .{80,120} more characters is too large a pattern\.$/,
  });
  assert.equal(new AnswerMatcher(['ab'.repeat(500)], 'regex').matches('AB'.repeat(500)), true);
});

test('the usual pattern of T5, and a text of a million blanks at its end', () => {
  const spaces = normalizerOf({ type: 'Replace', pattern: { Regex: ' {2,}' }, content: '▁' });
  assert.equal(spaces(`a  b c   d${' '.repeat(1e5)}`), 'a▁b c▁d▁');
  const strip = normalizerOf({ type: 'Strip', strip_left: true, strip_right: true });
  const inside = ` \u0085a${' \u3000'.repeat(5e5)}b`;
  assert.equal(strip(`${inside}\n\u2028 `), inside.slice(2));
});

test('an error of the work itself comes through as it is', () => {
  const pattern = new GuardedPattern(/a+b+/gu, 'it', 'DATA_INVALID');
  const content = () => {
    throw new RangeError('mine');
  };
  assert.throws(() => pattern.replaceAll('ab', content), RangeError);
});

test('repetitions are counted, and nothing else is', () => {
  for (const [source, count] of [
    ['abc|[+*?]|\\+\\?\\*|(?:a)|(?<n>b)|(?=c)|(?<!d)|\\p{L}\\u{41}|{|a{b', 0],
    [' {2,}', 1],
    ['\\s+$', 1],
    ['a?', 1],
    ['[\\]+]*', 1],
    ['(a)\\1', 2],
    ['(?<n>a)\\k<n>', 2],
    ['(a+)+', 2],
    ['a{2}b{3,}', 2],
  ] as const)
    assert.equal(repetitionsIn(source), count, source);
});
