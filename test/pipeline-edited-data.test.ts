/** Data that changes under a cache that knows it: what is measured is what lies there now. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/run.js';
import { openRun } from '../harness/pipeline/open-run.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { inOrder, inputKey } from '../harness/stages/graph.js';
import { Store } from '../harness/store/store.js';
import { run as sweepOne } from '../harness/sweep.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const root = await mkdtemp(path.join(tmpdir(), 'strata-edited-'));
after(() => rm(root, { recursive: true, force: true }));

async function run(data = 'data'): Promise<RunRecord> {
  let printed = '';
  const places = { data, cache: 'cache', out: 'out' };
  const folders = Object.entries(places).flatMap(([name, at]) => [`--${name}`, path.join(root, at)]);
  const argv = ['--arch', 'bm25', '--dataset', 'beir', '--measures', 'mrr@10', '--json', ...folders];
  const print = (text: string) => {
    printed += text;
  };
  assert.equal(await execute('run', command, argv, print), 0);
  return JSON.parse(printed) as RunRecord;
}

test('a file edited in place, with its size and time as before, is not taken for the old one', async () => {
  const data = path.join(root, 'data');
  await mkdir(path.join(data, 'qrels'), { recursive: true });
  const corpus = path.join(data, 'corpus.jsonl');
  await writeFile(corpus, '{"_id":"a","text":"bread"}\n{"_id":"b","text":"water"}\n');
  await writeFile(path.join(data, 'queries.jsonl'), '{"_id":"q","text":"bread"}\n');
  await writeFile(path.join(data, 'qrels', 'test.tsv'), 'q\ta\t1\n');
  const time = new Date(1_700_000_000_000);
  await utimes(corpus, time, time);
  const before = await run();
  assert.deepEqual(before.measures['mrr@10']!.perQuery, [1]);
  const { size, mtimeMs } = await stat(corpus);
  const text = await readFile(corpus, 'utf8');
  await writeFile(corpus, text.replace('bread', 'wines'));
  await utimes(corpus, time, time);
  const now = await stat(corpus);
  assert.deepEqual([now.size, now.mtimeMs], [size, mtimeMs]);
  const later = await run();
  assert.deepEqual(later.measures['mrr@10']!.perQuery, [0]);
  const hashOf = ({ dataset }: RunRecord) =>
    dataset.files.find(({ name }) => name === 'corpus.jsonl')!.sha256;
  assert.notEqual(hashOf(before), hashOf(later));
});

test('a collection that lies elsewhere and has been touched is known by what it holds', async () => {
  const before = await run();
  const findings = path.join(root, 'cache', 'findings');
  const found = await readdir(findings);
  assert.ok(found.length > 0);
  const moved = path.join('elsewhere', 'data');
  await cp(path.join(root, 'data'), path.join(root, moved), { recursive: true });
  const later = await run(moved);
  assert.deepEqual(await readdir(findings), found);
  assert.deepEqual(
    later.stages.map(({ name, key, execution }) => [name, key, key === null || execution.cached]),
    before.stages.map(({ name, key }) => [name, key, true]),
  );
  const manifests = (await readdir(path.join(root, 'cache'), { recursive: true })).filter((file) =>
    file.endsWith('manifest.json'),
  );
  assert.ok(manifests.length > 2);
  for (const file of manifests) {
    const { inputs } = JSON.parse(await readFile(path.join(root, 'cache', file), 'utf8'));
    assert.doesNotMatch(JSON.stringify(inputs), new RegExp(`${path.basename(root)}|mtime|ctime`), file);
  }
});

test('a collection that is edited while a stage reads it leaves nothing under the name of what it was', async () => {
  const here = path.join(root, 'amid');
  await writeTinyCollection(path.join(here, 'data'));
  const corpus = path.join(here, 'data', 'corpus.jsonl');
  const before = await readFile(corpus, 'utf8');
  const request = tinyRequest(here, 'dual-encoder', 1);
  const artifact = await shardsOf(request);
  let edits = 0;
  const editing: Progress = {
    ...silentProgress(),
    stage(name, total, unit) {
      if (name === 'encode' && edits++ === 0) writeFileSync(corpus, before.replaceAll('"p29"', '"p99"'));
      return silentProgress().stage(name, total, unit);
    },
  };
  await assert.rejects(sweepOne(request, editing), {
    code: 'DATA_INVALID',
    message: `${corpus} was changed while it was read.`,
  });
  assert.equal(edits, 1);
  const store = new Store(request.config.cache);
  assert.ok(!(await store.has('shards', artifact)));
  await writeFile(corpus, before);
  await sweepOne(request, silentProgress());
  assert.ok(await store.has('shards', artifact));
});

/** The key of its vectors, which are not made. */
async function shardsOf(request: RunRequest): Promise<string> {
  const opened = await openRun(request, silentProgress());
  await opened.close();
  const shards = inOrder(opened.stages).find(({ kind }) => kind === 'shards')!;
  return inputKey(shards);
}
