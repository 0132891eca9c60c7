/** What every file of harness/costs is held to, and how its figures become cells. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costsOf } from '../harness/comparison/costs.js';
import { costs } from '../harness/comparison/known-costs.js';
import { groupSystems } from '../harness/comparison/systems.js';
import type { AnsweringFacts, StoredRecord } from '../harness/record.js';
import { given, ones } from './given-records.js';
import { prepare, render } from './made-reports.js';

const of = (arch: string, answering?: AnsweringFacts): StoredRecord => {
  const stored = given({ arch, measures: { 'success@20': ones(50, 100) } });
  return answering === undefined ? stored : { ...stored, record: { ...stored.record, answering } };
};

test('columns have ids of their own, descriptions, and stand group by group in either table', () => {
  const columns = costsOf(groupSystems([of('a')]));
  const ids = columns.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)]);
  for (const { id, description, label } of columns) {
    assert.match(id, /^[a-z][a-z0-9-]*$/);
    assert.match(description, /\.$/, id);
    assert.notEqual(label, '', id);
  }
  for (const wanted of [false, true]) {
    const groups = columns.filter(({ detail = false }) => detail === wanted).map(({ group }) => group);
    const starts = groups.filter((group, i) => group !== groups[i - 1]);
    assert.deepEqual(starts, [...new Set(starts)]);
  }
});

test('a column without a number of its own has a meter, and a meter gives figures of its columns', async () => {
  for (const { columns, meter } of costs) {
    const ids = columns([]).map(({ id }) => id);
    const own = columns([of('a').record]).filter((column) => column.of === undefined);
    if (meter === undefined) {
      assert.deepEqual(own, []);
      continue;
    }
    const read = await meter.begin();
    for (const device of ['cpu', 'cuda', null]) {
      const figures = await read({ queries: 2, seconds: 1, device });
      for (const [id, { value, reason }] of Object.entries(figures)) {
        assert.ok(ids.includes(id), id);
        assert.equal(value === null, reason !== undefined, id);
      }
      for (const { id } of own) assert.ok(figures[id] !== undefined, id);
    }
  }
});

test('what has no number is not measured, with the reason, and no 0', async () => {
  const metered = costs.find(({ columns }) => columns([]).some((column) => column.of === undefined))!;
  const { id, label } = metered.columns([]).find((column) => column.of === undefined)!;
  const known = of('known', { costs: { [id]: { value: 3 } } });
  const without = of('without', { costs: { [id]: { value: null, reason: 'nobody <counts>' } } });
  const older = of('older');
  const nothing = of('nothing', { notMeasured: 'turned off', costs: {} });
  const report = await prepare([known, without, older, nothing]);
  const rows = Object.fromEntries(report.sections[0]!.systems.map((row) => [row.name, row]));
  assert.equal(rows.known!.cells[id]!.value, 3);
  assert.equal(rows.known!.notMeasured?.[id], undefined);
  for (const [name, reason] of [
    ['without', 'nobody <counts>'],
    ['older', 'the record does not say'],
    ['nothing', 'turned off'],
  ]) {
    assert.equal(rows[name!]!.cells[id], undefined);
    assert.equal(rows[name!]!.notMeasured![id], reason);
  }
  assert.match(await render('html', report), /title="nobody &lt;counts&gt;"><small>not measured<\/small>/);
  assert.match(await render('markdown', report), /^\| without \|.*\| not measured \|/m);
  assert.match(await render('csv', report), /without.*,not measured/);
  const chosen = await prepare([known, without], { columns: [id] });
  assert.match(await render('latex', chosen), /without & not measured/);
  // A zero is a number, and one that is there.
  const zero = await prepare([of('zero', { costs: { [id]: { value: 0 } } }), without]);
  assert.equal(zero.sections[0]!.systems.find(({ name }) => name === 'zero')!.cells[id]!.value, 0);
  // Where nobody has a number the column goes, and the reason stays.
  const none = await prepare([without, older]);
  assert.ok(none.sections[0]!.columns.every((column) => column.id !== id));
  const asked = await prepare([without, older], { columns: ['success@20', id] });
  assert.match(await render('markdown', asked), /^\| without \|.*\| not measured \|$/m);
  const note = none.sections[0]!.notes.find((line) => line.includes('nobody <counts>'));
  assert.match(note!, new RegExp(`^Not measured: .*${label}.*\\(nobody <counts>\\)\\.$`));
  assert.ok((await prepare([older])).sections[0]!.notes.every((line) => !line.startsWith('Not measured')));
});
