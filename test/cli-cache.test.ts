/** What lies in the cache, making it anew, and removing what is not needed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { command as cache } from '../harness/cli/cache.js';
import { execute } from '../harness/cli/command.js';
import type { RunRecord } from '../harness/record.js';
import type { Stored } from '../harness/store/inventory.js';
import { chosen } from '../harness/store/prune.js';
import { Store } from '../harness/store/store.js';
import { ownerOf } from './other-owners.js';
import { json, set, stageRoot } from './stage-commands.js';

let root: string;
let place: string[];
before(async () => {
  root = await stageRoot();
  place = ['--cache', path.join(root, 'cache'), '--out', path.join(root, 'out')];
  await run('bm25,mlr-sc');
});
after(() => rm(root, { recursive: true, force: true }));

const run = (arch: string, ...more: string[]): Promise<RunRecord[]> =>
  json(
    'run',
    ...['--arch', arch, '--dataset', 'squad', '--data', path.join(root, 'data')],
    ...place,
    ...set,
    ...more,
  );

async function bench(...argv: string[]): Promise<string> {
  let printed = '';
  await execute('cache', cache, [...argv, ...place], (text) => {
    printed += text;
  });
  return printed;
}

const listed = async (...argv: string[]): Promise<Stored[]> =>
  JSON.parse(await bench('list', ...argv, '--json')).stored;

interface Pruned {
  removed: Stored[];
  inUse: Stored[];
}
const pruned = async (...argv: string[]): Promise<Pruned> =>
  JSON.parse(await bench('prune', ...argv, '--json')) as Pruned;

const kindsOf = (those: readonly Stored[]) => those.map(({ kind }) => kind).sort();

test('the list says of what kind, of which dataset and system, how large and how old each artifact is', async () => {
  const all = await listed();
  const trained = all.filter(({ system }) => system === 'mlr-sc');
  assert.deepEqual(kindsOf(trained), ['checkpoints', 'queries', 'runs', 'shards']);
  for (const { folder, dataset, sizeBytes, usedMs, state } of all) {
    assert.ok(existsSync(path.join(folder, 'manifest.json')));
    assert.equal(dataset, 'squad', folder);
    assert.ok(sizeBytes > 0 && Date.now() - usedMs < 600_000);
    assert.equal(state, 'finished');
  }
  assert.deepEqual(kindsOf(await listed('--kind', 'runs', '--system', 'bm25')), ['runs']);
  const text = await bench();
  assert.match(text, /^kind +key +dataset +system +size +age\n/);
  assert.match(text, /^checkpoints +[0-9a-f]{20} +squad +mlr-sc +[\d.]+ KiB +[\d.]+ s$/m);
  assert.match(text, /cache: [\d.]+ [KM]iB \(checkpoints /);
});

test('a run takes all from the cache, and with --fresh nothing; the bytes are the same', async () => {
  const [, first] = await run('bm25,mlr-sc');
  const cached = (record: RunRecord) =>
    record.stages.filter(({ key }) => key !== null).map(({ execution }) => execution.cached);
  assert.ok(cached(first!).every((each) => each));
  const weights = async () => {
    const [checkpoint] = await listed('--kind', 'checkpoints');
    const files = readdirSync(checkpoint!.folder, { recursive: true }).map(String);
    return readFile(path.join(checkpoint!.folder, files.find((name) => name.endsWith('.safetensors'))!));
  };
  const before = await weights();
  const records = await run('bm25,mlr-sc', '--fresh');
  for (const record of records)
    assert.ok(cached(record).every((each) => !each) || record.arch.name === 'mlr-sc');
  for (const record of records) assert.ok(!cached(record).includes(true), record.arch.name);
  // The index of terms, which negatives come from, was made anew by the first of the two, and once is enough.
  const keys = new Set(records.flatMap(({ stages }) => stages.map(({ key }) => key)));
  assert.equal((await listed()).filter(({ kind, key }) => kind === 'indexes' && keys.has(key)).length, 1);
  assert.deepEqual(await weights(), before);
  assert.deepEqual(records[1]!.measures, first!.measures);
});

test('prune without a criterion, or with one that cannot be read, is refused', async () => {
  const cases: [string[], RegExp][] = [
    [['prune'], /needs to know what may go/],
    [['prune', '--older-than', '3 months'], /is no age/],
    [['prune', '--max-size', '20'], /is no size/],
    [['prune', '--kind', 'shard'], /Did you mean 'shards'/],
    [['prun'], /Did you mean 'prune'/],
    [['list', '--dry-run'], /goes with bench cache prune/],
    [['prune', '--unnamed', '--out', path.join(root, 'nowhere')], /no file or folder/],
  ];
  for (const [argv, expected] of cases) {
    const given = argv.includes('--out')
      ? [...argv, '--cache', path.join(root, 'cache')]
      : [...argv, ...place];
    await assert.rejects(
      execute('cache', cache, given, () => undefined),
      expected,
      argv.join(' '),
    );
  }
});

test('prune removes what every option describes, a dry run nothing', async () => {
  const all = await listed();
  const [shards] = all.filter(({ kind }) => kind === 'shards');
  const then = new Date(Date.now() - 40 * 24 * 60 * 60 * 1000);
  for (const stored of all.filter(({ kind }) => kind === 'shards' || kind === 'runs'))
    await utimes(path.join(stored.folder, 'manifest.json'), then, then);
  const asked = ['--older-than', '30d', '--kind', 'shards,checkpoints'];
  assert.deepEqual(kindsOf((await pruned(...asked, '--dry-run')).removed), ['shards']);
  assert.deepEqual((await listed()).length, all.length);
  assert.match(await bench('prune', ...asked), /\nremoved: 1 of \d+, [\d.]+ KiB of [\d.]+ [KM]iB\n$/);
  assert.ok(!existsSync(shards!.folder));
  assert.equal((await listed()).length, all.length - 1);
  // What was removed is made again, and only that.
  const [record] = await run('mlr-sc').then((found) => [found].flat() as RunRecord[]);
  const made = record!.stages.filter(({ key, execution }) => key !== null && !execution.cached);
  assert.deepEqual(
    made.map(({ name }) => name),
    ['encode'],
  );
});

test('a dataset stands for its variants and for the collections that users gave names to', () => {
  const stored = (dataset: string): Stored => ({
    ...{ kind: 'shards', key: dataset, folder: dataset, dataset, sizeBytes: 1, usedMs: 0, uses: [] },
    state: 'finished',
  });
  const all = ['beir', 'beir/nq', 'beir/nq:own', 'beir:mine', 'beirut'].map(stored);
  const of = (dataset: string) => chosen(all, { dataset }, 0).map(({ key }) => key);
  assert.deepEqual(of('beir'), ['beir', 'beir/nq', 'beir/nq:own', 'beir:mine']);
  assert.deepEqual(of('beir/nq'), ['beir/nq', 'beir/nq:own']);
  assert.deepEqual(of('beir:mine'), ['beir:mine']);
});

test('prune keeps the latest up to a size', async () => {
  const all = (await listed()).sort((a, b) => b.usedMs - a.usedMs);
  const newest = all[0]!.sizeBytes;
  const { removed } = await pruned('--max-size', `${newest / 1000}KB`, '--dry-run');
  assert.deepEqual(
    removed.map(({ key }) => key),
    all.slice(1).map(({ key }) => key),
  );
});

test('prune --unnamed keeps what a record was made from, however far back', async () => {
  const all = await listed();
  assert.deepEqual((await pruned('--unnamed', '--dry-run')).removed, []);
  // The negatives of the training, and the index that they were found in, are named by no stage of this record.
  for (const name of readdirSync(path.join(root, 'out')))
    if (/bm25/.test(name)) await rm(path.join(root, 'out', name));
  assert.deepEqual(kindsOf((await pruned('--unnamed', '--dry-run')).removed), ['runs']);
  const { removed } = await pruned('--unnamed');
  assert.deepEqual(
    removed.map(({ system }) => system),
    ['bm25'],
  );
  assert.equal((await listed()).length, all.length - 1);
});

test('what a running process works on or has asked for stays', async () => {
  const other = await mkdtemp(path.join(tmpdir(), 'strata-cache-'));
  const store = new Store(other);
  const made = async (a: number) =>
    store.artifact('runs', { a }, async (folder) => writeFile(path.join(folder, 'x'), ''));
  const [old, recent] = [await made(1), await made(2)];
  const then = new Date(Date.now() - 60 * 60 * 1000);
  await utimes(path.join(old.folder, 'manifest.json'), then, then);
  const neighbour = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
  try {
    await mkdir(path.join(other, 'running'), { recursive: true });
    const sign = path.join(other, 'running', `${ownerOf(neighbour.pid!)} ${hostname()}`);
    await writeFile(sign, '');
    const begun = new Date(Date.now() - 30 * 60 * 1000);
    await utimes(sign, begun, begun);
    const held = await store.artifact('shards', { a: 3 }, async () => 0);
    await writeFile(path.join(held.folder, 'lock'), ownerOf(neighbour.pid!));
    await utimes(path.join(held.folder, 'manifest.json'), then, then);
    let printed = '';
    await execute('cache', cache, ['prune', '--kind', 'runs,shards', '--cache', other, '--json'], (text) => {
      printed += text;
    });
    const { removed, inUse } = JSON.parse(printed) as Pruned;
    assert.deepEqual(
      removed.map(({ key }) => key),
      [old.key],
    );
    assert.deepEqual(inUse.map(({ key }) => key).sort(), [recent.key, held.key].sort());
  } finally {
    neighbour.kill();
    await rm(other, { recursive: true, force: true });
  }
});

test('an artifact names what it was made with', async () => {
  const other = await mkdtemp(path.join(tmpdir(), 'strata-cache-'));
  try {
    const store = new Store(other);
    const outer = await store.artifact('checkpoints', { a: 1 }, async () => {
      await store.artifact('negatives', { a: 2 }, async () => 0);
    });
    assert.deepEqual(outer.made!.uses, [{ kind: 'negatives', key: store.used[0]!.key }]);
  } finally {
    await rm(other, { recursive: true, force: true });
  }
});
