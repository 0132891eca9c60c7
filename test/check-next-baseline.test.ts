/** What --update-baseline writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredRecord } from '../harness/record.js';
import { nextBaseline } from '../harness/regression.js';
import { type MadeRecord, stored } from './made-records.js';

const request = { latencyRatio: 1.5, sizeBytes: 0, named: false };

function on(day: number, made: MadeRecord = {}): StoredRecord {
  const { file, record } = stored(made);
  const createdAt = `2026-01-${String(day).padStart(2, '0')}T00:00:00.000Z`;
  return { file: `day-${day}-${file}`, record: { ...record, createdAt } };
}

const days = ({ records }: { records: readonly StoredRecord[] }) =>
  records.map(({ file }) => Number(file.split('-')[1]));

test('a line changes only where a figure does: the moment and the noise of latencies are none', () => {
  const before = [1, 2, 3].map((seed) => on(1, { seed }));
  const again = [1, 2, 3].map((seed) => on(2, { seed, slower: 1.1 }));
  const next = nextBaseline(before, again, request);
  assert.deepEqual([days(next), next.unchanged], [[1, 1, 1], 3]);
  const moved = nextBaseline(before, [again[0]!, on(2, { seed: 2, lift: 0.01 }), again[2]!], request);
  assert.deepEqual([days(moved), moved.unchanged], [[1, 2, 1], 2]);
  const [slower, elsewhere] = [{ slower: 3 }, { cpu: 'Another' }].map((each) =>
    nextBaseline([before[0]!], [on(2, { seed: 1, ...each })], request),
  );
  // Slower in every part is taken for the machine in a check, and is no figure that moved here either.
  assert.deepEqual([days(slower!), days(elsewhere!)], [[1], [2]]);
});

test('a line changes where latencies are there that were not, or are there no more, and where bytes or losses move', () => {
  const timed = on(1);
  const { latency: _, ...untimed } = timed.record;
  const without = { file: 'day-2-untimed', record: untimed };
  assert.deepEqual(days(nextBaseline([timed], [without], request)), [2]);
  assert.deepEqual(days(nextBaseline([{ ...without, file: 'day-1-untimed' }], [on(2)], request)), [2]);
  const later = { ...without, record: { ...untimed, createdAt: '2026-01-03T00:00:00.000Z' } };
  const kept = nextBaseline([{ ...without, file: 'day-1-untimed' }], [later], request);
  assert.deepEqual([days(kept), kept.unchanged], [[1], 1]);
  assert.deepEqual(
    days(nextBaseline([on(1, { sizeBytes: 7000 })], [on(2, { sizeBytes: 7001 })], request)),
    [2],
  );
});

test('what was replaced goes with its settings, whatever is left in the folder', () => {
  const before = [on(1, { epochs: 3 })];
  const next = nextBaseline(before, [...before, on(2, { epochs: 2 }), on(3, { epochs: 5 })], request);
  assert.deepEqual(days(next), [3]);
  assert.match(next.notes[0]!, /train\.epochs was 3 and is 5/);
  assert.match(next.notes[1]!, /^left out: day-2-.*older than day-3-/);
});

test('what was not run again stands as long as its record is there; else it is dropped, and said', () => {
  const before = [on(1), on(1, { arch: 'mlr' })];
  assert.deepEqual(days(nextBaseline(before, [on(2, { lift: 0.1 }), before[1]!], request)), [2, 1]);
  const dropped = nextBaseline(before, [on(2, { lift: 0.1 })], request);
  assert.deepEqual(days(dropped), [2]);
  assert.match(dropped.notes.join(), /mlr on made, test is dropped/);
});

test('a first baseline says where one architecture is there with several settings; named files are all meant', () => {
  const two = [on(1, { epochs: 3 }), on(2, { epochs: 5 })];
  const first = nextBaseline([], two, request);
  assert.deepEqual(days(first).sort(), [1, 2]);
  assert.match(first.notes.join(), /several settings: train\.epochs was/);
  const named = nextBaseline([two[0]!], two, { ...request, named: true });
  assert.deepEqual(days(named), [1, 2]);
  const twice = [on(1), { ...on(2), file: 'again' }];
  assert.throws(() => nextBaseline([], twice, { ...request, named: true }), /there twice for one seed/);
  assert.deepEqual(days(nextBaseline([], twice.slice(0, 1), request)), [1]);
});

test('a run that failed is no baseline, unless it was made again since', () => {
  const failed = on(2, { status: 'failed' });
  assert.throws(() => nextBaseline([], [on(1), failed], request), {
    code: 'RECORD_INVALID',
    message: /Runs that failed are no baseline:\n {2}day-2-.*: the loss is NaN/,
  });
  assert.deepEqual(days(nextBaseline([], [failed, on(3)], request)), [3]);
});

test('a run that failed was made again by nothing but the same system with the same seed, later', () => {
  const failed = on(2, { status: 'failed' });
  for (const other of [on(3, { arch: 'mlr' }), on(3, { seed: 99 }), on(3, { split: 'dev' }), on(1), on(2)])
    assert.throws(
      () => nextBaseline([], [other, failed], request),
      /Runs that failed are no baseline/,
      other.file,
    );
});

test('where there was no baseline yet the newest of each run is taken, and the older ones are named', () => {
  const [older, newer] = [on(1, { lift: 0.1 }), on(2)];
  for (const given of [
    [older, newer],
    [newer, older],
  ]) {
    const { records, notes } = nextBaseline([], given, request);
    assert.deepEqual(
      records.map(({ file }) => file),
      [newer.file],
    );
    assert.deepEqual(notes, [`left out: ${older.file}: older than ${newer.file}`]);
  }
  const beside = nextBaseline([], [newer, on(1, { seed: 2 }), on(1, { arch: 'mlr' })], request);
  assert.deepEqual([beside.records.length, beside.notes], [3, []]);
});

test('lines stay where they stood, whatever order the records come in; what is new comes last', () => {
  const arches = ['bm25', 'mlr', 'me-bert'];
  const before = arches.map((arch) => on(1, { arch }));
  const again = arches.map((arch) => on(2, { arch, lift: 0.1 }));
  const extra = on(2, { arch: 'dual-encoder' });
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    const given = [extra, ...order.map((i) => again[i]!)];
    for (const named of [true, false]) {
      const { records } = nextBaseline(before, given, { ...request, named });
      assert.deepEqual(
        records.map(({ record }) => record.arch.name),
        [...arches, 'dual-encoder'],
      );
    }
  }
  // Other settings of a run take its place.
  const other = nextBaseline(before, [on(2, { arch: 'bm25', epochs: 9 }), before[1]!, before[2]!], request);
  assert.deepEqual(days(other), [2, 1, 1]);
});
