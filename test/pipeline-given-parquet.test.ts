/** Vectors made elsewhere in Parquet: the hits of the same vectors in NumPy's files, and every fault told by name. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { readRun } from '../harness/interchange/trec.js';
import { silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { run } from '../harness/sweep.js';
import { npy } from './given-folder.js';
import { failsWith } from './loopback.js';
import { inFixtures } from './places.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-given-parquet-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

const fixture = (name: string) => readFile(inFixtures(`parquet/vectors-${name}.parquet`));

let folders = 0;
async function folder(files: Readonly<Record<string, string | Buffer | null>>): Promise<string> {
  const at = path.join(root, `given-${folders++}`);
  await mkdir(at);
  const all: Record<string, string | Buffer | null> = {
    'passages.parquet': await fixture('passages'),
    'queries.parquet': await fixture('queries'),
    'vectors.json': '{"similarity": "cosine"}',
    ...files,
  };
  for (const [name, content] of Object.entries(all))
    if (content !== null) await writeFile(path.join(at, name), content);
  return at;
}

const ran = (at: string, ...set: string[]) =>
  run(tinyRequest(root, `vectors:${at}`, 1, 'latency.queries=0', ...set), silentProgress());
const hitsOf = async (record: RunRecord) => (await readRun(path.join(root, 'out', record.run!.name))).run;

test('hits are those of the same vectors in files of NumPy, whatever the order of the rows', async () => {
  const { vectors } = JSON.parse(await readFile(inFixtures('parquet/vectors.json'), 'utf8')) as {
    vectors: number[][];
  };
  const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const numpy = {
    'passages.parquet': null,
    'queries.parquet': null,
    'passages.npy': npy(vectors.slice(0, 30)),
    'passages.txt': ids('p', 30).join('\n'),
    'queries.npy': npy(vectors.slice(28)),
    'queries.txt': ids('q', 12).join('\n'),
  };
  const expected = await hitsOf(await ran(await folder(numpy)));
  for (const passages of ['passages', 'shuffled'])
    for (const set of [[], ['encode.shardPassages=7']]) {
      const record = await ran(await folder({ 'passages.parquet': await fixture(passages) }), ...set);
      assert.deepEqual(await hitsOf(record), expected, `${passages} ${set}`);
      assert.equal(record.index!.rows, 30);
    }
  // One side in each form.
  const { 'queries.npy': queries, 'queries.txt': queryIds } = numpy;
  const mixed = await folder({ 'queries.parquet': null, 'queries.npy': queries, 'queries.txt': queryIds });
  assert.deepEqual(await hitsOf(await ran(mixed)), expected);
});

test('other files are other vectors in the cache', async () => {
  const keys = new Set<string>();
  for (const passages of ['passages', 'shuffled']) {
    const record = await ran(await folder({ 'passages.parquet': await fixture(passages) }));
    keys.add(record.stages.find(({ name }) => name === 'encode')!.key!);
  }
  assert.equal(keys.size, 2);
});

test('a folder that does not fit the dataset, or itself, is refused by what is wrong', async () => {
  const refused = async (
    files: Readonly<Record<string, string | Buffer | null>>,
    code: 'DATA_INVALID' | 'PATH_INVALID',
    ...parts: string[]
  ) => failsWith(ran(await folder(files)), code, ...parts);
  await refused({ 'passages.parquet': null }, 'PATH_INVALID', 'no passages.npy and no passages.parquet');
  await refused({ 'passages.npy': npy([]) }, 'PATH_INVALID', 'both passages.npy and passages.parquet');
  await refused({ 'passages.txt': 'p0\n' }, 'PATH_INVALID', 'both passages.parquet, which has ids, and');
  const passages = async (name: string) => ({ 'passages.parquet': await fixture(name) });
  await refused(await passages('float32'), 'DATA_INVALID', 'vectors of 10 passages (p30', 'has not');
  await refused(await passages('nan'), 'DATA_INVALID', 'no vectors of 27 passages');
  await refused(
    { 'queries.parquet': await fixture('passages') },
    'DATA_INVALID',
    'no vectors of 8 queries (q0',
  );
  // Numbers are looked at before ids are compared.
  await refused({ 'queries.parquet': await fixture('nan') }, 'DATA_INVALID', 'holds NaN in row 3');
  await refused({ 'queries.parquet': await fixture('huge') }, 'DATA_INVALID', 'holds Infinity in row 3');
  await refused({ 'queries.parquet': await fixture('ragged') }, 'DATA_INVALID', 'row 3', '5 numbers');
  await refused({ 'queries.parquet': await fixture('null-row') }, 'DATA_INVALID', 'row 2', 'no vector');
  await refused(
    { 'queries.parquet': (await fixture('queries')).subarray(0, 300) },
    'DATA_INVALID',
    'queries.parquet',
    'cut off',
  );
});
