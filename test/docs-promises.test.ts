/** The list of what the pages promise: complete, in their words, and each with a test that is there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './places.js';

const read = (name: string) => readFileSync(path.join(root, name), 'utf8');
const spaced = (text: string) => text.replace(/\s+/g, ' ');

interface Promised {
  page: string;
  words: string;
  file: string;
  title: string;
}

const promises = read('docs/promises.md')
  .split('\n')
  .flatMap((line): Promised[] => {
    const [, page, words, file, title] = /^\| (\S+\.md) \| (.+?) \| `(.+?)`: (.+?) \|$/.exec(line) ?? [];
    return page === undefined ? [] : [{ page, words: words!, file: file!, title: title! }];
  });

/** Words that promise something to the last digit. */
const promising =
  /\b(?:same bytes|those bytes|exact|exactly|reproducible|projected|foretold|bit by bit|last bit)\b/g;

test('every promise of the pages is in the list, and its test is there', () => {
  const rows = read('docs/promises.md')
    .split('\n')
    .filter((line) => /^\| (?:README|docs)/.test(line));
  assert.ok(promises.length >= 15);
  assert.equal(promises.length, rows.length, 'a row that is not read');
  for (const { page, words, file, title } of promises) {
    assert.ok(spaced(read(page)).includes(words), `${page} does not say: ${words}`);
    assert.ok(existsSync(path.join(root, file)), file);
    assert.ok(
      read(file).includes(title.replaceAll("'", "\\'")) || read(file).includes(title),
      `${file}: ${title}`,
    );
  }
});

for (const page of ['README.md', 'docs/indexes.md', 'docs/ci.md', 'docs/export.md', 'docs/datasets.md']) {
  test(`${page} promises nothing that is not in the list`, () => {
    // Neither what commands print nor names in code.
    const prose = spaced(
      read(page)
        .replace(/^```[\s\S]*?^```/gm, '')
        .replace(/^ {4}.*$/gm, '')
        .replace(/`[^`\n]*`/g, (code) => '\u0000'.repeat(code.length)),
    );
    const whole = spaced(
      read(page)
        .replace(/^```[\s\S]*?^```/gm, '')
        .replace(/^ {4}.*$/gm, ''),
    );
    const covered = promises
      .filter((each) => each.page === page)
      .map(({ words }) => [whole.indexOf(words), whole.indexOf(words) + words.length] as const);
    for (const { 0: word, index } of prose.matchAll(promising)) {
      const around = whole.slice(Math.max(0, index - 60), index + 60);
      assert.ok(
        covered.some(([from, to]) => index >= from && index < to),
        `'${word}' stands in no row of docs/promises.md: ...${around}...`,
      );
    }
  });
}
