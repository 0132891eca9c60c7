/** What `bench run` prints when it is done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarize } from '../harness/cli/summary.js';
import type { RunRecord } from '../harness/record.js';
import { recordOf } from './run-records.js';

test('the summary: percent, mean and deviation over seeds, cost; never wider than 100 letters', () => {
  const runs = [
    recordOf({ architecture: 'colbert-cls-avg', dataset: 'sample', seed: 10 }),
    recordOf({ architecture: 'colbert-cls-avg', dataset: 'sample', seed: 30 }),
    recordOf({ architecture: 'mlr-sc', dataset: 'sample', seed: 10 }),
  ];
  const text = summarize(runs);
  for (const line of text.split('\n')) assert.ok(line.length <= 100, line);
  assert.match(text, /^sample, test: 1 query, 2,067 passages\n/);
  // 51.0 and 53.0: mean 52, deviation with n - 1 the root of 2.
  assert.match(text, /^colbert-cls-avg +2 seeds +52\.0±1\.4 /m);
  assert.match(text, /^colbert-cls-avg +2 seeds +1 +1\.0 MiB +4\.0\/8\.0\/12\.0 /m);
  assert.match(
    text,
    /^mlr-sc +10 +1 +1\.0 MiB +4\.0\/8\.0\/12\.0 +0\.50\/1\.0\/1\.5 +3 min 05 s +onnx cpu exact$/m,
  );
  assert.equal(text.match(/note: the timer is coarse/g)?.length, 1);
  const [run] = runs.slice(-1) as [RunRecord];
  const answering = { costs: { 'memory-bytes': { value: 3 * 2 ** 20 } } };
  const untold = { notMeasured: 'turned off', costs: {} };
  const measured = summarize([
    { ...run, answering },
    { ...runs[0]!, answering: untold },
  ]);
  assert.match(measured, /^mlr-sc .* 3 min 05 s +3\.0 MiB/m);
  assert.match(measured, /^colbert-cls-avg .* not measured/m);
  assert.doesNotMatch(text, /not measured/);
  const rough: RunRecord = { ...run, device: { ...run.device, precision: 'int8' } };
  assert.match(summarize([rough]), / onnx cpu int8 exact$/m);
});

test('a run that failed, and a system that has no cost, still have their rows', () => {
  const {
    index: _index,
    latency: _latency,
    training: _training,
    ...bare
  } = recordOf({
    architecture: 'mlr-sc',
    dataset: 'sample',
    seed: 1,
  });
  const failed = {
    ...bare,
    status: 'failed',
    measures: {},
    error: { code: 'DISK_FULL', message: 'full' },
  } as RunRecord;
  assert.match(summarize([failed]), /^mlr-sc +1 +- +- +- +- +- +failed: DISK_FULL$/m);
  assert.match(summarize([bare]), /^mlr-sc +1 +- +- +- +- +- +onnx cpu exact$/m);
});

test('p99 is printed of a thousand samples or more; of fewer the summary says that it is not measured', () => {
  const run = recordOf({ architecture: 'mlr-sc', dataset: 'sample', seed: 1 });
  const latency = run.latency!;
  // What older versions left has a p99 of any number of samples.
  const few = latency.encode!.samplesMs.slice(0, 999);
  const [encode, search] = [latency.encode!, latency.search!].map((part) => ({ ...part, samplesMs: few }));
  const total = { ...latency.total, samplesMs: few };
  const text = summarize([{ ...run, latency: { ...latency, encode: encode!, search: search!, total } }]);
  assert.match(text, /^mlr-sc +1 +1 +1\.0 MiB +4\.0\/8\.0\/- +0\.50\/1\.0\/- /m);
  assert.match(text, /^p99: not measured: 999 samples, and it takes 1,000 \(latency\.queries\)$/m);
});
