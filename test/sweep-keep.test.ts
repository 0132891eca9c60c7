/** What a sweep removes, what it leaves, and what it takes from an earlier one. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type Progress, silentProgress } from '../harness/progress.js';
import { describeMachine, type GitFacts, type RunRecord } from '../harness/record.js';
import { groupsOf } from '../harness/sweep/groups.js';
import { programDoubt } from '../harness/sweep/recording.js';
import { sweep } from '../harness/sweep.js';
import { recordOf } from './run-records.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-keep-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

const request = (architecture: string, seed: number, ...set: string[]) =>
  tinyRequest(root, architecture, seed, ...set);
const quiet = silentProgress();
function listening(): { progress: Progress; lines: string[] } {
  const lines: string[] = [];
  return { lines, progress: { ...silentProgress(), note: (line) => void lines.push(line) } };
}

const places = ({ stages }: RunRecord) =>
  stages.filter(({ key }) => key !== null).map(({ execution }) => execution.cached);

async function kindsIn(cache: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const kind of ['checkpoints', 'shards', 'indexes', 'runs', 'negatives', 'models', 'queries']) {
    const names = await readdir(path.join(root, cache, kind)).catch(() => []);
    counts[kind] = names.length;
  }
  return counts;
}

test('keep records leaves records and hits; what was there before stays, and what is recorded is not made again', async () => {
  const cache = `cache=${path.join(root, 'records')}`;
  await sweep([request('mlr', 5, cache)], quiet);
  const before = await kindsIn('records');
  assert.equal(before.shards, 1);
  const requests = [5, 6].flatMap((seed) =>
    ['mlr', 'me-bert', 'bm25'].map((name) => request(name, seed, cache, 'keep=records')),
  );
  const { lines, progress } = listening();
  const { records } = await sweep(requests, progress);
  assert.deepEqual({ ...(await kindsIn('records')), models: 1 }, before);
  assert.ok(lines.some((line) => /^disk: .* removed from the cache; the sweep held at most /.test(line)));
  for (const record of records) assert.ok((await stat(path.join(root, 'out', record.run!.name))).size > 0);
  // BM25 knows no seed: its index and its hits belong to both, and were made once.
  assert.deepEqual(places(records[5]!), [true, true]);
  const again = listening();
  await sweep(requests, again.progress);
  const states = again.lines.filter((line) => line.startsWith('cell '));
  // A checkout with changes cannot say that it is the program it was.
  const changed = (await describeMachine()).git?.dirty === true;
  const taken = states.filter((line) => line.includes('recorded before'));
  const doubted = again.lines.filter((line) => line.startsWith('made again: '));
  assert.deepEqual([taken.length, doubted.length], changed ? [0, 6] : [6, 0], states.join('\n'));
});

test('in a cache that was empty, keep records leaves the vocabularies and findings that all that is made later shares', async () => {
  // A folder of its own for the record: one that is there would be trusted, and nothing made.
  const folders = [`cache=${path.join(root, 'empty')}`, `out=${path.join(root, 'empty-out')}`];
  await sweep([request('mlr', 5, ...folders, 'keep=records')], quiet);
  const { models, checkpoints, shards, runs } = await kindsIn('empty');
  assert.ok(models! > 0, 'a vocabulary stays');
  assert.deepEqual([checkpoints, shards, runs], [0, 0, 0]);
});

test('a record is trusted where the same commit made it, with no changes', () => {
  const { device } = recordOf({ architecture: 'mlr', dataset: 'squad', seed: 1 });
  const doubt = (was: GitFacts | null, is: GitFacts | null, version = '1') =>
    programDoubt({ benchVersion: '1', device: { ...device, git: was } }, { benchVersion: version, git: is });
  const [a, b] = ['a', 'b'].map((letter) => ({ commit: letter.repeat(40), dirty: false }));
  const dirty = { ...a!, dirty: true };
  assert.equal(doubt(a!, a!), undefined);
  assert.equal(doubt(null, null), undefined);
  assert.match(doubt(a!, b!)!, /of commit aaaaaaaaaaaa$/);
  assert.match(doubt(dirty, a!)!, /record was made by a program with changes/);
  assert.match(doubt(a!, dirty)!, /this program has changes/);
  assert.match(doubt(null, a!)!, /names no commit/);
  assert.match(doubt(a!, null)!, /names no commit/);
  assert.match(doubt(a!, a!, '2')!, /of version 1/);
});

test('systems that take no turns are let go one by one', async () => {
  const names = ['mlr', 'me-bert', 'bm25'];
  const groups = (...set: string[]) =>
    groupsOf(names.flatMap((name) => [request(name, 1, ...set), request(name, 2, ...set)])).map((group) =>
      group.map(({ architecture, seed }) => `${architecture} ${seed}`).join(', '),
    );
  assert.deepEqual(groups(), ['mlr 1, me-bert 1, bm25 1', 'mlr 2, me-bert 2, bm25 2']);
  const alone = ['mlr 1', 'mlr 2', 'me-bert 1', 'me-bert 2', 'bm25 1', 'bm25 2'];
  assert.deepEqual(groups('latency.interleave=false'), alone);
  assert.deepEqual(groups('latency.queries=0'), alone);

  const cache = `cache=${path.join(root, 'one-by-one')}`;
  const requests = names
    .slice(0, 2)
    .map((name) => request(name, 1, cache, 'keep=records', 'latency.queries=0'));
  const held: (number | undefined)[] = [];
  const { progress } = listening();
  const watching = {
    ...progress,
    stage: (...args: Parameters<Progress['stage']>) => {
      // When the vectors of a system are made, those of the one before are gone.
      if (args[0] === 'encode') {
        const folders = readdirSync(path.join(root, 'one-by-one', 'shards'));
        held.push(folders.length);
      }
      return progress.stage(...args);
    },
  };
  await sweep(requests, watching);
  assert.deepEqual(held, [1, 1]);
});

test('keep indexes leaves what can be searched', async () => {
  const cache = `cache=${path.join(root, 'indexes')}`;
  const { records } = await sweep(
    ['mlr', 'bm25'].map((name) => request(name, 5, cache, 'keep=indexes')),
    quiet,
  );
  const { checkpoints, shards, queries, indexes, runs, negatives } = await kindsIn('indexes');
  assert.deepEqual([checkpoints, shards, queries, indexes, runs, negatives], [1, 1, 0, 1, 0, 0]);
  const [dense] = (
    await sweep(
      ['mlr'].map((name) => request(name, 5, cache)),
      quiet,
    )
  ).records;
  // Checkpoint and shards are there, vectors of queries and hits are not.
  assert.deepEqual(places(dense!), [true, true, false, false]);
  assert.deepEqual(dense!.measures, records[0]!.measures);
});
