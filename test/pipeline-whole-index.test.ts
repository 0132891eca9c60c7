/** Seconds for the whole index are those of this machine and these threads, or there are none. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { wholeIndexTime } from '../harness/pipeline/whole-index.js';
import { silentProgress } from '../harness/progress.js';
import { run } from '../harness/sweep.js';
import { rewriteManifest } from './forged-manifest.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const here = { cpu: 'this one', threads: 2 };

test('what is added up was all computed here, with the same threads', () => {
  const of = (...works: (object | undefined)[]) =>
    wholeIndexTime(
      10,
      Object.fromEntries(
        works.map((conditions, i) => [
          ['run', 'index'][i]!,
          {
            timed: { seconds: 5, ...(conditions && { conditions: { ...here, ...conditions } }) },
            wanted: here,
          },
        ]),
      ),
    );
  assert.deepEqual(of({}), { secondsPerQuery: 0.5, warnings: [] });
  assert.deepEqual(of({}, {}), { secondsPerQuery: 1, warnings: [] });
  const [threads] = of({ threads: 1 }).warnings;
  assert.match(threads!, /the run is from the cache, made with threads 1, not threads 2\.$/);
  const other = of({}, { cpu: 'another' });
  assert.equal(other.secondsPerQuery, undefined);
  assert.match(other.warnings[0]!, /the index is from the cache, made on another, not this one\.$/);
  assert.match(of(undefined).warnings[0]!, /does not say how long it took/);
});

test('hits that another processor found are used, its seconds are not', async (t) => {
  const root = await mkdtemp(path.join(tmpdir(), 'strata-whole-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  await writeTinyCollection(path.join(root, 'data'));
  const request = tinyRequest(root, 'bm25', 1);
  const first = await run(request, silentProgress());
  const again = await run(request, silentProgress());
  assert.ok(first.latency!.wholeIndexSecondsPerQuery! > 0);
  assert.equal(again.latency!.wholeIndexSecondsPerQuery, first.latency!.wholeIndexSecondsPerQuery);
  const runs = path.join(root, 'cache', 'runs');
  await rewriteManifest(path.join(runs, (await readdir(runs))[0]!), ({ facts }) => {
    const { execution } = facts as { execution: { conditions: object } };
    const conditions = { ...execution.conditions, cpu: 'another' };
    return { facts: { ...(facts as object), execution: { ...execution, conditions } } };
  });
  const elsewhere = await run(request, silentProgress());
  assert.equal(elsewhere.run!.sha256, first.run!.sha256);
  assert.equal(elsewhere.latency!.wholeIndexSecondsPerQuery, undefined);
  assert.match(elsewhere.latency!.warnings.join('\n'), /the run is from the cache, made on another/);
});
