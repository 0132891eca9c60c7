/** A run under load: what is asked for stands in its record, with its settings, and nothing of it where nobody asks. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { timeCells } from '../harness/pipeline/timing.js';
import { silentProgress } from '../harness/progress.js';
import { readRecord } from '../harness/record.js';
import { sweep } from '../harness/sweep.js';
import { recordOf } from './run-records.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-load-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

const quiet = silentProgress();

test('rates and clients are measured for every system, together where they wait, and written to a record that can be read', async () => {
  const set = [
    'latency.rates=1e5,5000',
    'latency.clients=1,3',
    'latency.loadQueries=20',
    'latency.maxBatch=4',
  ];
  const files: string[] = [];
  const requests = ['bm25', 'dual-encoder'].map((name) =>
    tinyRequest(root, name, 1, ...set, 'latency.queries=4'),
  );
  const { records, failures } = await sweep(requests, quiet, ({ file }) => files.push(file));
  assert.deepEqual(failures, []);
  for (const [i, { latency }] of records.entries()) {
    const load = latency!.load!;
    assert.equal(load.maxBatch, 4);
    assert.deepEqual(
      load.open.map(({ ratePerSecond }) => ratePerSecond),
      [1e5, 5000],
    );
    assert.deepEqual(
      load.closed.map(({ clients }) => clients),
      [1, 3],
    );
    assert.equal(load.bound, undefined);
    for (const figures of [...load.open, ...load.closed]) {
      assert.deepEqual([figures.queries, figures.samplesMs.length, figures.response.p99Ms], [20, 20, null]);
      assert.ok(figures.samplesMs.every((ms) => ms > 0));
      assert.ok(figures.waiting.meanMs <= figures.response.meanMs && figures.calls >= 5);
    }
    // One client waits for nobody, so each of its queries is a call; three are answered by twos and threes, or all at once.
    assert.equal(load.closed[0]!.calls, 20);
    assert.ok(load.closed[1]!.calls < 20);
    assert.deepEqual((await readRecord(files[i]!)).latency, JSON.parse(JSON.stringify(latency)));
  }
  const [unloaded] = (await sweep([tinyRequest(root, 'bm25', 1, 'latency.queries=4')], quiet)).records;
  assert.equal(unloaded!.latency!.load, undefined);
});

test('a bound that no query keeps to: none, and nothing is tried', async () => {
  const set = ['latency.queries=4', 'latency.bound=1e-9', 'latency.batchSizes=[]'];
  const [record] = (await sweep([tinyRequest(root, 'bm25', 1, ...set)], quiet)).records;
  assert.deepEqual(record!.latency!.load, {
    ...{ maxBatch: 1, open: [], closed: [] },
    bound: { boundMs: 1e-9, found: 'none', ratePerSecond: null, resolution: 0.05, tried: [] },
  });
});

test('where every search reads the index from the disk nothing is loaded, and the record says so', async () => {
  const set = ['latency.rates=1e5', 'latency.loadQueries=3', 'latency.queries=2', 'latency.batchSizes=[]'];
  const request = tinyRequest(root, 'bm25', 1, ...set);
  const queries = [{ queryId: 'q', text: 'q' }];
  const system = {
    parts: [{ name: 'search', run: () => 0 }],
    ...{ resident: false, answerBatch: async () => ({}) as never, close: async () => undefined },
  };
  const cell = {
    ...{
      request,
      file: 'x.record.json',
      record: recordOf({ architecture: 'bm25', dataset: 'tiny', seed: 1 }),
    },
    ...{ queries, openBytes: 1, rereads: true, wholeIndex: { warnings: [] } },
  } as never;
  const [timed] = await timeCells([cell], quiet, async () => system);
  assert.equal(timed!.failure, undefined);
  assert.equal(timed!.latency!.load, undefined);
  assert.ok(timed!.latency!.warnings.some((warning) => /Nothing is measured under load/.test(warning)));
});
