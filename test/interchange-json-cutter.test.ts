/** Parts of a JSON array or object, whatever stands in them and wherever the bytes are cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonCutter } from '../harness/interchange/json-cutter.js';
import { type Stream, stream } from '../harness/random.js';

/** The parts as text, with their lines, of a file whose bytes come in blocks of the sizes that `size` gives. */
function cut(text: string, kind: 'array' | 'object', size: () => number) {
  const cutter = new JsonCutter('file', 'DATA_INVALID', kind);
  const bytes = Buffer.from(text);
  const found: { text: string; index: number; line: number }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + size();
    cutter.add(bytes.subarray(at, end));
    for (let part = cutter.next(); part !== undefined; part = cutter.next())
      found.push({ text: part.bytes.toString(), index: part.index, line: part.line });
    at = end;
  }
  cutter.end();
  return found;
}

const letters = ['"', '\\', '[', ']', '{', '}', ',', ':', 'a', 'é', '\n', ' ', '\\"'];

function madeText(random: Stream): string {
  return Array.from({ length: random.integer(7) }, () => random.choose(letters)).join('');
}

function madeValue(random: Stream, depth: number): unknown {
  const kind = random.integer(depth > 0 ? 5 : 3);
  if (kind === 0) return random.integer(1000) - 500;
  if (kind === 1) return madeText(random);
  if (kind === 2) return random.choose([true, false, null]);
  const inner = Array.from({ length: random.integer(4) }, () => madeValue(random, depth - 1));
  return kind === 3 ? inner : Object.fromEntries(inner.map((value, i) => [`${madeText(random)}${i}`, value]));
}

test('what JSON.parse finds is found, in blocks of any size', () => {
  const random = stream(1, 'cutter');
  for (let round = 0; round < 120; round++) {
    const values = Array.from({ length: random.integer(5) }, () => madeValue(random, 3));
    const blank = () => random.choose(['', ' ', '\n', '\r\n \t', '\n\n']);
    for (const kind of ['array', 'object'] as const) {
      // An indented value has lines of its own.
      const parts = values.map((value, i) => {
        const json = JSON.stringify(value, null, random.integer(3));
        return kind === 'array' ? json : `${JSON.stringify(`${madeText(random)}${i}`)}${blank()}:${json}`;
      });
      const [open, close] = kind === 'array' ? '[]' : '{}';
      const bom = random.choose(['', '\ufeff']);
      let text = `${bom}${blank()}${open}`;
      const expected = parts.map((part, index) => {
        text += `${index === 0 ? '' : ','}${blank()}`;
        const line = text.split('\n').length;
        // What follows a part up to the comma is taken as part of it.
        const whole = part + blank();
        text += whole;
        return { text: whole, index, line };
      });
      if (parts.length === 0) text += blank();
      text += `${close}${blank()}`;
      for (const size of [() => 1, () => 1 + random.integer(9), () => text.length * 2])
        assert.deepEqual(cut(text, kind, size), expected, JSON.stringify(text));
    }
  }
});

test('what is no whole array or object is refused, with line and place', () => {
  for (const [text, kind, message] of [
    ['', 'array', /line 1: it is empty, and an array is expected/],
    ['\n\n', 'object', /line 3: it is empty, and an object is expected/],
    ['\n{', 'array', /line 2: it begins with "\{", and an array begins with \[/],
    ['[', 'object', /line 1: it begins with "\[", and an object begins with \{/],
    ['[1,\n2', 'array', /line 2: element 2 of the array is not whole/],
    ['[1,\n', 'array', /line 2: element 2 of the array is not whole/],
    ['[1,\n"a\\"]', 'array', /line 2: element 2 of the array is not whole/],
    ['[1,\n]', 'array', /line 2: element 2 of the array is missing before a comma or the end/],
    ['[,1]', 'array', /line 1: element 1 of the array is missing before a comma or the end/],
    ['{"a":1,\n,"b":2}', 'object', /line 2: member 2 of the object is missing before a comma/],
    ['[1]\n2', 'array', /line 2: something follows the end of the array/],
    [`[1,\n${' '.repeat(2 ** 24)} 2]`, 'array', /line 2: more than 16777216 bytes of white space/],
    [
      `[1,"${'x'.repeat(2 ** 26 + 2 ** 20)}"]`,
      'array',
      /element 2 of the array is larger than 67108864 bytes/,
    ],
  ] as [string, 'array' | 'object', RegExp][])
    assert.throws(() => cut(text, kind, () => 2 ** 20), { code: 'DATA_INVALID', message }, text.slice(0, 20));
  // As much white space as there may be, after more of it in other places.
  const blank = ' '.repeat(2 ** 24);
  assert.equal(cut(`[${blank}1${blank},${blank}2]`, 'array', () => 2 ** 20).length, 2);
});
