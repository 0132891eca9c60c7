/** Data that changes under a cache that knows it: what is measured is what lies there now. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/run.js';
import type { RunRecord } from '../harness/record.js';

const root = await mkdtemp(path.join(tmpdir(), 'strata-edited-'));
after(() => rm(root, { recursive: true, force: true }));

async function run(): Promise<RunRecord> {
  let printed = '';
  const folders = ['data', 'cache', 'out'].flatMap((name) => [`--${name}`, path.join(root, name)]);
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
