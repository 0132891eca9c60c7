/** The lines of a sweep by a clock that is set by hand: what became of each cell, and how long the rest will take. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { CellLines, type CellOutcome } from '../harness/sweep/cell-lines.js';

const request = (architecture: string, seed = 1, dataset = 'made') =>
  ({ architecture, dataset, seed }) as RunRequest;
const done: CellOutcome = { state: 'done', found: [] };

function linesOf(...requests: RunRequest[]) {
  const notes: string[] = [];
  const titles: (string | undefined)[] = [];
  const clock = { ms: 1000 };
  let left: (() => string | undefined) | undefined;
  const lines = new CellLines(
    requests,
    {
      note: (line) => notes.push(line),
      within: (title, leftOf) => {
        titles.push(title);
        left = leftOf;
      },
    },
    () => clock.ms,
  );
  /** A cell that takes so many seconds. */
  const run = (which: RunRequest, seconds: number, outcome: CellOutcome) => {
    const end = lines.begin(which);
    clock.ms += 1000 * seconds;
    end(outcome);
  };
  return { lines, notes, titles, clock, run, left: () => left?.() };
}

test('each cell with its time, its number and what the others will take by the mean of those made', () => {
  const cells = [request('mlr'), request('mlr', 2), request('bm25'), request('me-bert'), request('mlr', 3)];
  const { run, notes, titles, lines } = linesOf(...cells);
  run(cells[0]!, 10, done);
  run(cells[1]!, 20, { state: 'from cache', found: ['train'] });
  run(cells[2]!, 30, done);
  run(cells[3]!, 40, { state: 'failed', reason: 'the loss is NaN' });
  run(cells[4]!, 50, { state: 'recorded before' });
  assert.deepEqual(notes, [
    'cell 1 of 5: mlr on made, seed 1: done in 10.0 s, 4 left, perhaps 40.0 s left',
    'cell 2 of 5: mlr on made, seed 2: from cache in 20.0 s, 3 left, perhaps 30.0 s left',
    'cell 3 of 5: bm25 on made, seed 1: done in 30.0 s, 2 left, perhaps 40.0 s left',
    'cell 4 of 5: me-bert on made, seed 1: failed after 40.0 s, 1 left, about 10.0 s left\n  the loss is NaN',
    // Three wait to be timed, and how long that takes is not known.
    'cell 5 of 5: mlr on made, seed 3: recorded before, 0 left',
  ]);
  assert.deepEqual(
    titles,
    cells.flatMap(({ architecture, seed }, i) => [`${architecture}, seed ${seed}, ${i + 1} of 5`, undefined]),
  );
  lines.timed(3, 6000);
  assert.equal(notes.length, 5);
});

test('timing counts for every cell that is left and for those that wait', () => {
  const cells = [1, 2, 3, 4].map((seed) => request('mlr', seed));
  const { run, notes, lines, left, clock } = linesOf(...cells);
  const end = lines.begin(cells[0]!);
  assert.equal(left(), undefined, 'nothing is known yet');
  clock.ms += 10_000;
  end(done);
  lines.timed(1, 4000);
  // Three cells of 10 s and 4 s each.
  const ended = lines.begin(cells[1]!);
  assert.equal(left(), 'about 42.0 s');
  clock.ms += 5000;
  assert.equal(left(), 'about 37.0 s');
  clock.ms += 100_000;
  assert.equal(left(), 'about 0.0 s');
  ended({ state: 'from cache', found: [] });
  // Two to be made, and three to be timed.
  assert.match(notes.at(-1)!, /2 left, about 32\.0 s left$/);
  // None was timed: no time is known from that.
  lines.timed(0, 9000);
  run(cells[2]!, 30, done);
  assert.match(notes.at(-1)!, /1 left, about 32\.0 s left$/, '20 s, and three times 4 s');
  lines.timed(2, 16_000);
  run(cells[3]!, 1, { state: 'failed', reason: 'no' });
  assert.match(notes.at(-1)!, /0 left\n {2}no$/);
});

test('cells of several datasets name theirs', () => {
  const cells = [request('mlr', 1, 'one'), request('mlr', 1, 'two')];
  const { run, titles } = linesOf(...cells);
  run(cells[0]!, 1, done);
  assert.deepEqual(titles, ['mlr on one, seed 1, 1 of 2', undefined]);
});

test('trainings count as made, and none of them is timed', () => {
  const cells = [1, 2, 3].map((seed) => request('mlr', seed));
  const { run, notes } = linesOf(...cells);
  run(cells[0]!, 10, { state: 'trained' });
  run(cells[1]!, 1, { state: 'trained before' });
  run(cells[2]!, 10, { state: 'trained' });
  assert.deepEqual(notes, [
    'cell 1 of 3: mlr on made, seed 1: trained in 10.0 s, 2 left, about 20.0 s left',
    'cell 2 of 3: mlr on made, seed 2: trained before in 1.0 s, 1 left, about 10.0 s left',
    'cell 3 of 3: mlr on made, seed 3: trained in 10.0 s, 0 left',
  ]);
});

test('a run by itself tells only what it took from the cache, or that it was recorded before', () => {
  const told = (outcome: CellOutcome) => {
    const only = request('mlr');
    const { run, notes, titles } = linesOf(only);
    run(only, 1, outcome);
    assert.deepEqual(titles, [undefined]);
    return notes;
  };
  assert.deepEqual(told(done), []);
  assert.deepEqual(told({ state: 'done', found: ['train', 'encode'] }), [
    'mlr on made, seed 1: from cache: train, encode',
  ]);
  assert.deepEqual(told({ state: 'from cache', found: ['train'] }), [
    'mlr on made, seed 1: from cache: train, which is all of it; --fresh makes it anew',
  ]);
  assert.deepEqual(told({ state: 'failed', reason: 'no' }), []);
  assert.deepEqual(told({ state: 'recorded before' }), [
    'cell 1 of 1: mlr on made, seed 1: recorded before, 0 left',
  ]);
});
