/** What becomes of the cells of a group once they are made: records, failures, and the time that timing takes. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, mock, test } from 'node:test';
import { type Progress, silentProgress } from '../harness/progress.js';
import type { StoredRecord } from '../harness/record.js';
import { sweep } from '../harness/sweep.js';
import { assertClosed, removeClosed } from './open-files.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-sweep-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => removeClosed(root));

const request = (architecture: string, seed: number, ...set: string[]) =>
  tinyRequest(root, architecture, seed, 'latency.queries=1', ...set);
const quiet = silentProgress();

test('a cell whose record cannot be put in place fails, and those that were timed with it are recorded', async () => {
  const out = path.join(root, 'half');
  const asked = ['mlr', 'bm25', 'dual-encoder'].map((name) => request(name, 8, `out=${out}`));
  const told: StoredRecord[] = [];
  await sweep(asked, quiet, (stored) => told.push(stored));
  const [, taken] = told.map(({ file }) => file);
  // A folder stands where the record is to stand.
  await rm(taken!);
  await mkdir(path.join(taken!, 'in-the-way'), { recursive: true });
  told.length = 0;
  const lines: string[] = [];
  const progress = { ...quiet, note: (line: string) => void lines.push(line) };
  const { records, failures } = await sweep(asked, progress, (stored) => told.push(stored));
  assert.deepEqual(
    records.map(({ arch }) => arch.name),
    ['mlr', 'dual-encoder'],
  );
  assert.deepEqual(
    failures.map(({ request: { architecture }, record }) => [architecture, record?.status]),
    [['bm25', 'failed']],
  );
  const record = failures[0]!.record!;
  assert.equal(record.error!.message, failures[0]!.error.message);
  assert.deepEqual(
    record.stages.map(({ name }) => name),
    ['prepare', 'index', 'search', 'measure'],
  );
  assert.equal(record.dataset.passageCount, 30);
  assert.deepEqual(
    told.map(({ record: { arch, status } }) => [arch.name, status]),
    [
      ['mlr', 'ok'],
      ['bm25', 'failed'],
      ['dual-encoder', 'ok'],
    ],
  );
  const failed = (await readdir(out)).filter((name) => name.includes('failed'));
  assert.deepEqual(
    failed.map((name) => `record of the failure: ${path.join(out, name)}`),
    lines.filter((line) => line.startsWith('record of the failure')),
  );
});

test('what timing takes is told with the time that the others will take', async () => {
  const left: (string | undefined)[] = [];
  // By a clock that goes ten hours ahead while a group is timed and recorded.
  const now = performance.now.bind(performance);
  let aheadMs = 0;
  mock.method(performance, 'now', () => now() + aheadMs);
  const within: Progress['within'] = (title, inAll) => {
    if (title !== undefined) left.push(inAll?.());
  };
  const note = (line: string) => {
    if (line.startsWith('record: ')) aheadMs += 36_000_000;
  };
  try {
    await sweep([request('mlr', 11), request('mlr', 12)], { ...quiet, within, note });
  } finally {
    mock.restoreAll();
  }
  assert.equal(left[0], undefined);
  assert.match(left[1]!, /^about 10 h/);
});

test('no file of the cache or the data is left open', () => assertClosed(root));
