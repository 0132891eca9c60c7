/** A run says before its latencies are measured that they take long. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import type { Cell } from '../harness/pipeline/cell.js';
import { longLatency } from '../harness/pipeline/estimate/latency-time.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { timeCells } from '../harness/pipeline/timing.js';
import { silentProgress } from '../harness/progress.js';
import { madeRecord } from './made-records.js';

const queries = Array.from({ length: 30 }, (_, q) => ({ queryId: `q${q}`, text: `text ${q}` }));
/** What is said, with how many queries are answered by then. */
const notes: [string, number][] = [];
let clock = 0;

/** @param seconds of each query in turn, the last for all that follow */
async function timed(seconds: readonly number[], latency: object = {}, rereads = false): Promise<void> {
  const config = defaultConfig();
  Object.assign(config.latency, { queries: 12, warmup: 2, batchSizes: [4] }, latency);
  const cell: Cell = {
    ...{ file: 'cross.record.json', record: madeRecord({ arch: 'cross' }), queries, openBytes: 1, rereads },
    request: { architecture: 'cross', dataset: 'made', seed: 3, offline: true, config } as RunRequest,
    wholeIndex: { warnings: [] },
    ...{ stages: [], searchable: [], cached: false, opening: { system: 'cross', folders: [], from: {} } },
  };
  let asked = 0;
  const run = () => {
    clock += 1000 * (seconds[asked++] ?? seconds.at(-1)!);
  };
  const progress = { ...silentProgress(), note: (line: string) => void notes.push([line, asked]) };
  const [found] = await timeCells([cell], progress, async () => ({
    ...{ parts: [{ name: 'search', run }], answerBatch: async () => undefined as never },
    ...{ resident: true, close: async () => undefined },
  }));
  assert.equal(found!.failure, undefined);
}

test('what takes more than ten minutes is said after three queries, with settings that take less', async () => {
  const now = mock.method(performance, 'now', () => clock);
  try {
    await timed([900, 31, 30, 40]);
    // Once as a warm-up and 2, and 12; 5 batches of 4 twice: 66 of 30 s. With batches of one it would be 50 of them, no half.
    const long =
      'latency of cross takes about 33 min 01 s, by 12 queries of 30.0 s one at a time and batches of 4, where these help nothing';
    assert.deepEqual(notes.splice(0), [[long, 3]]);
    await timed([2], { queries: 30, batchSizes: [1, 16, 128] });
    const many =
      'latency of cross takes about 52 min 05 s, by 30 queries of 2.0 s one at a time and batches of 1, 16, 128, where these help nothing; --set latency.queries=20 --set latency.batchSizes=[1] would take about 2 min 45 s';
    assert.deepEqual(notes.splice(0), [[many, 3]]);
    await timed([900, 9, 900]);
    // The few queries of a system that rereads its index have a warning in its record.
    await timed([30], {}, true);
    assert.deepEqual(notes, []);
    await timed([600], { queries: 2, batchSizes: [] });
    assert.equal(notes.length, 1);
  } finally {
    now.mock.restore();
  }
});

test('what fresh processes have timed by then is not ahead, and would be timed again', () => {
  const config = defaultConfig();
  const said = (latency: object) =>
    longLatency({ ...config, latency: { ...config.latency, warmup: 0, ...latency } }, 100, 2);
  const fresh = { processes: 3, oneThread: true };
  assert.equal(said({ queries: 60, batchSizes: [], ...fresh }), undefined);
  const few = { queries: 100, batchSizes: [16, 128] };
  const seconds = (latency: object) => said(latency)!.replace(/.* would take about /, '');
  assert.equal(said({ ...few, ...fresh })!.split(';')[0], said(few)!.split(';')[0]);
  assert.equal(seconds(few), '2 min 41 s');
  // Two rounds more, and one with one thread.
  assert.equal(seconds({ ...few, ...fresh }), '6 min 48 s');
});
