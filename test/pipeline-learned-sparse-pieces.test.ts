/** Learned sparse models find the same in pieces, on any number of threads, in a collection that grows, and after a kill. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { run } from '../harness/sweep.js';
import { assertSameWhenKilled, killedRoot } from './killed-runs.js';
import { tinySettings } from './made-squad.js';
import { linesIn } from './run-files.js';
import { spladeFolder } from './splade-folder.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
let folder: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-pieces-'));
  await writeTinyCollection(path.join(root, 'data'));
  folder = spladeFolder('bert');
});
after(() => rm(root, { recursive: true, force: true }));

const asked = (architecture: string, ...set: string[]) => tinyRequest(root, architecture, 1, ...set);
const keysOf = ({ stages }: RunRecord) => Object.fromEntries(stages.map(({ name, key }) => [name, key]));

const linesOf = (record: RunRecord, out = path.join(root, 'out')) => linesIn(out, record);

test('distractors are encoded once for all sizes, and the largest has the figures of the whole collection', async () => {
  const whole = await run(asked(`sparse:${folder}`), silentProgress());
  const grown: RunRecord[] = [];
  for (const count of [5, 22])
    grown.push(
      await run({ ...asked(`sparse:${folder}`), distractors: { count, largest: 22 } }, silentProgress()),
    );
  const [few, all] = grown as [RunRecord, RunRecord];
  assert.equal(all.dataset.passageCount, 30);
  assert.deepEqual(all.measures, whole.measures);
  assert.equal(all.index!.sizeBytes.postings, whole.index!.sizeBytes.postings);
  assert.ok(few.index!.sizeBytes.postings! < whole.index!.sizeBytes.postings!);
  assert.equal(keysOf(few)['encode distractors'], keysOf(all)['encode distractors']);
  assert.notEqual(keysOf(few)['join shards'], keysOf(all)['join shards']);
});

test('one thread and two, and shards of any size, find the same', async () => {
  const whole = await linesOf(await run(asked(`sparse:${folder}`, 'threads=1'), silentProgress()));
  for (const set of [['threads=2'], ['encode.shardPassages=7', 'threads=2']]) {
    const [cache, out] = [path.join(root, `cache ${set.join(' ')}`), path.join(root, `out ${set.join(' ')}`)];
    const record = await run(
      asked(`sparse:${folder}`, ...set, `cache=${cache}`, `out=${out}`),
      silentProgress(),
    );
    assert.equal(record.stages.find(({ name }) => name === 'encode')!.execution.cached, false);
    const lines = await linesOf(record, out);
    if (set.length === 1) assert.deepEqual(lines, whole);
    else
      assert.deepEqual(
        lines.map((line) => line.split(' ').slice(0, 4)),
        whole.map((line) => line.split(' ').slice(0, 4)),
      );
  }
});

test('kill -9 while it is encoded, indexed and searched changes no byte', async () => {
  const killed = await killedRoot();
  try {
    const files = await assertSameWhenKilled(killed, 'sparse', [
      {
        argv: (here) => [
          ...['run', '--arch', `sparse:${folder}`, '--dataset', 'squad', '--data', path.join(killed, 'data')],
          ...['--cache', path.join(here, 'cache'), '--out', path.join(here, 'out')],
          ...[
            ...tinySettings.filter((setting) => /^(encode|search|measures|latency|answering)/.test(setting)),
            'search.batchSize=4',
          ].flatMap((setting) => ['--set', setting]),
        ],
        places: [
          /^before .*shards\/.*0001\.json$/,
          /^after .*queries\/.*shard-00000\.json$/,
          // Segments that are not yet joined; the first of two files; all but what says that they are whole.
          /^after .*segments$/,
          /^after .*indexes\/.*weights$/,
          /^before .*indexes\/.*index\.json$/,
          /^after .*parts\/00000\.hits$/,
          /^before .*\.record\.json$/,
        ],
      },
    ]);
    assert.ok(
      files.some((file) => file.endsWith('gaps')) && !files.some((file) => file.endsWith('segments')),
      files.join('\n'),
    );
  } finally {
    await rm(killed, { recursive: true, force: true });
  }
});
