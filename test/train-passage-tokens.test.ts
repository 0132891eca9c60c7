import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PassageTokens } from '../harness/train/passage-tokens.js';

test('tokens come back as they went, over the ends of blocks and in any order', () => {
  const texts = Array.from({ length: 200 }, (_, i) =>
    Int32Array.from({ length: i % 8 }, (_, j) => 70_000 + i * 10 + j),
  );
  const packed = new PassageTokens(texts.length, 8);
  for (let i = 0; i < texts.length; i++) {
    const number = (i * 77) % texts.length;
    assert.ok(!packed.has(number) && !packed.isComplete);
    packed.add(number, texts[number]!);
  }
  assert.ok(packed.isComplete);
  for (const [number, tokens] of texts.entries()) assert.deepEqual(packed.of(number), tokens);
});

test('what was not added, comes twice or is too long is a mistake of the program', () => {
  const packed = new PassageTokens(2, 4);
  packed.add(0, Int32Array.of(1, 2, 3, 4));
  assert.throws(() => packed.of(1), /no tokens/);
  assert.throws(() => packed.add(0, Int32Array.of(1)), /already/);
  assert.throws(() => packed.add(1, new Int32Array(5)), /do not fit/);
});
