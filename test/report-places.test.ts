import assert from 'node:assert/strict';
import { test } from 'node:test';
import { given, ones } from './given-records.js';
import { stored } from './made-records.js';
import { prepare, records, render } from './made-reports.js';

test('a report says which places the tests leave open, in markdown, LaTeX, the page and csv', async () => {
  const clear = given({ arch: 'clear', measures: { 'success@5': ones(90, 100) } });
  const [a, b] = ['a', 'b'].map((arch, i) => given({ arch, measures: { 'success@5': ones(40 + i, 100) } }));
  const report = await prepare([a!, b!, clear]);
  const { ranks } = report.sections[0]!;
  assert.equal(ranks!.familySize, 3);
  assert.deepEqual(
    ranks!.measures[0]!.systems.map(({ system, places, tied }) => [system, places, tied]),
    [
      ['a', { best: 2, worst: 3 }, ['b']],
      ['b', { best: 2, worst: 3 }, ['a']],
      ['clear', { best: 1, worst: 1 }, []],
    ],
  );
  const markdown = await render('markdown', report);
  assert.match(markdown, /### Places\n\n\| system \| success@5 \|\n/);
  assert.match(markdown, /^\| a \| 2–3 tied \(2–3\) \|$/m);
  assert.match(markdown, /^\| clear \| 1 \(1\) \|$/m);
  assert.match(markdown, /corrected by Holm over all 3 pairs/);
  const latex = await render('latex', report);
  assert.match(latex, /^a & 2--3 tied \(2--3\) \\\\$/m);
  assert.match(latex, /\\label\{tab:[\w-]+-places\}/);
  assert.doesNotMatch(await render('latex', { ...report, columnsChosen: true }), /-places/);
  assert.match(await render('html', report), /<td title="tied with b">2–3 tied<small>2–3<\/small><\/td>/);
  // What a machine is called holds commas.
  const rows = (await render('csv', report)).replace(/"[^"]*"/g, '').split('\n');
  const [head, first] = rows.map((line) => line.split(','));
  const at = head!.indexOf('success@5 best place');
  assert.deepEqual(first!.slice(at, at + 2), ['2', '3']);
});

test('a system of other queries has no place and a note; several seeds count as one system', async () => {
  const other = stored({ arch: 'other', queries: 150 });
  const { sections } = await prepare([...records, other]);
  const { ranks, notes } = sections[0]!;
  assert.deepEqual(
    ranks!.measures.map(({ systems }) => systems.map(({ system }) => system)),
    [
      ['dual-encoder', 'mlr-sc', 'me-bert'],
      ['dual-encoder', 'mlr-sc', 'me-bert'],
    ],
  );
  assert.ok(notes.includes('other has other queries than dual-encoder and no place among the others.'));
  assert.equal((await prepare([other])).sections[0]!.ranks, undefined, 'one system has no place to share');
});
