/** Vectors made elsewhere: searched and measured as our own, and every fault of the folder told by name. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { deviceDifferences } from '../harness/comparison/devices.js';
import type { BenchError } from '../harness/errors.js';
import { readRun } from '../harness/interchange/trec.js';
import { planRun } from '../harness/pipeline/plan.js';
import { silentProgress } from '../harness/progress.js';
import { stream } from '../harness/random.js';
import { assertRecord } from '../harness/record/validate.js';
import type { RunRecord } from '../harness/record.js';
import { run } from '../harness/sweep.js';
import { loadSystem } from '../harness/systems.js';
import { dimensions, givenFiles, npy, passages, queries } from './given-folder.js';
import { failsWith } from './loopback.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-given-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

let folders = 0;
async function folder(files: Readonly<Record<string, string | Buffer | null>> = {}): Promise<string> {
  const at = path.join(root, `given-${folders++}`);
  await mkdir(at);
  const all: Record<string, string | Buffer | null> = { ...givenFiles(), ...files };
  for (const [name, content] of Object.entries(all))
    if (content !== null) await writeFile(path.join(at, name), content);
  return at;
}

const request = (at: string, ...set: string[]) => tinyRequest(root, `vectors:${at}`, 1, ...set);
const ran = (at: string, ...set: string[]) => run(request(at, ...set), silentProgress());

async function hitsOf(record: RunRecord): Promise<Record<string, [string, number][]>> {
  const { run: hits } = await readRun(path.join(root, 'out', record.run!.name));
  return Object.fromEntries(
    [...hits].map(([queryId, { passageIds, scores }]) => [
      queryId,
      passageIds.map((id, i): [string, number] => [id, scores![i]!]),
    ]),
  );
}

const product = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

test('hits and measures are those of the vectors, and the record says what they were and that nothing was encoded', async () => {
  const record = await ran(await folder());
  assertRecord(JSON.parse(JSON.stringify(record)), 'given');
  const hits = await hitsOf(record);
  for (const [queryId, found] of Object.entries(hits)) {
    const query = queries.vectors[queries.ids.indexOf(queryId)]!;
    const expected = passages.ids
      .map((id, i): [string, number, number] => [id, product(query, passages.vectors[i]!), i])
      .filter(([id]) => id !== queryId)
      .sort((a, b) => b[1] - a[1] || a[2] - b[2])
      .slice(0, 10)
      .map(([id, score]) => [id, score]);
    assert.deepEqual(found, expected);
  }
  assert.equal(Object.keys(hits).length, record.queryIds.length);
  assert.equal(record.arch.family, 'vectors');
  assert.equal(record.index!.dimensions, dimensions);
  assert.equal(record.index!.rows, 30);
  assert.equal(record.device.queryVectors, 'given');
  assert.equal(record.latency!.encode, undefined);
  assert.ok(record.latency!.search!.meanMs > 0);
  assert.match(record.warnings.join('\n'), /latency is of the search alone/);
  // Its latency has no order with that of a system that encodes its queries.
  const dense = await run(tinyRequest(root, 'dual-encoder', 1), silentProgress());
  assert.match(deviceDifferences(record, dense).join(), /queries' vectors given and computed here/);
  const { lines } = await planRun(request(await folder()));
  assert.ok(
    lines.some((line) => line.includes('30 passages, 12 queries, dot')),
    lines.join('\n'),
  );
});

test('rows in any order, in half precision, with ids as JSON: the same hits', async () => {
  const expected = await hitsOf(await ran(await folder()));
  const order = stream(5, 'order').shuffle(passages.ids.map((_, i) => i));
  const shuffled = await folder({
    'passages.npy': npy(
      order.map((i) => passages.vectors[i]!),
      '<f2',
    ),
    'passages.txt': null,
    'passages.jsonl': order.map((i) => `${JSON.stringify({ _id: `p${i}`, other: 1 })}\n`).join(''),
    'queries.npy': npy([...queries.vectors].reverse(), '<f2'),
    'queries.txt': [...queries.ids].reverse().join('\r\n'),
  });
  for (const set of [[], ['encode.shardPassages=7']])
    assert.deepEqual(await hitsOf(await ran(shuffled, ...set)), expected);
});

test('cosine divides by lengths, and a setting goes before the folder', async () => {
  const at = await folder();
  const cosine = await hitsOf(await ran(at, 'vectors.similarity=cosine'));
  const length = (vector: readonly number[]) => Math.max(Math.sqrt(product(vector, vector)), 1e-12);
  for (const [queryId, found] of Object.entries(cosine)) {
    const query = queries.vectors[queries.ids.indexOf(queryId)]!;
    for (const [id, score] of found) {
      const passage = passages.vectors[passages.ids.indexOf(id)]!;
      const expected = product(query, passage) / length(query) / length(passage);
      assert.ok(Math.abs(score - expected) < 1e-6, `${id}: ${score}, ${expected}`);
    }
  }
  assert.notDeepEqual(cosine, await hitsOf(await ran(at)));
});

test('with other systems: fused, and as what reranks', async () => {
  const at = await folder();
  const fused = await run(tinyRequest(root, `fuse:bm25+vectors:${at}`, 1), silentProgress());
  assert.equal(fused.device.queryVectors, 'given');
  const record = await run(tinyRequest(root, `rerank:bm25>vectors:${at}`, 1), silentProgress());
  const hits = await hitsOf(record);
  for (const [queryId, found] of Object.entries(hits))
    for (const [id, score] of found) {
      const query = queries.vectors[queries.ids.indexOf(queryId)]!;
      assert.equal(score, product(query, passages.vectors[passages.ids.indexOf(id)]!));
    }
});

test('a folder that does not fit the dataset, or itself, is refused by what is wrong', async () => {
  const refused = async (
    files: Readonly<Record<string, string | Buffer | null>>,
    code: 'DATA_INVALID' | 'PATH_INVALID' | 'CONFIG_INVALID',
    ...parts: string[]
  ) => failsWith(ran(await folder(files)), code, ...parts);
  await failsWith(ran(path.join(root, 'nowhere')), 'PATH_INVALID', 'no such folder');
  await refused({ 'passages.npy': null }, 'PATH_INVALID', 'no passages.npy and no passages.parquet');
  await refused({ 'queries.txt': null }, 'PATH_INVALID', 'neither queries.txt nor queries.jsonl');
  await refused({ 'queries.jsonl': '' }, 'PATH_INVALID', 'both queries.txt and queries.jsonl');
  await refused({ 'vectors.json': null }, 'CONFIG_INVALID', 'vectors.similarity');
  await refused({ 'vectors.json': '{"similarity": "l2"}' }, 'DATA_INVALID', '"l2"');
  await refused({ 'vectors.json': '{' }, 'DATA_INVALID', 'not JSON');
  const wide = queries.vectors.map((vector) => [...vector, 1]);
  await refused({ 'queries.npy': npy(wide, '<f4', 7) }, 'DATA_INVALID', '6 dimensions', '7');
  const damaged = passages.vectors.map((vector, i) => (i === 17 ? [1, 2, Number.NaN, 4, 5, 6] : vector));
  await refused({ 'passages.npy': npy(damaged) }, 'DATA_INVALID', 'passages.npy', 'NaN', 'row 18');
  const endless = queries.vectors.map((vector, i) => (i === 2 ? [1, 2, 3, 4, 5, -Infinity] : vector));
  await refused({ 'queries.npy': npy(endless) }, 'DATA_INVALID', 'queries.npy', '-Infinity', 'row 3');
  const ids = (change: (all: string[]) => void) => {
    const all = [...passages.ids];
    change(all);
    return `${all.join('\n')}\n`;
  };
  await refused(
    { 'passages.txt': ids((all) => all.splice(3, 2, 'x3', 'x4')) },
    'DATA_INVALID',
    'no vectors of 2 passages (p3, p4) of beir:data',
    'vectors of 2 passages (x3, x4) that beir:data has not',
  );
  await refused(
    { 'passages.txt': ids((all) => all.fill('p2', 5, 6)) },
    'DATA_INVALID',
    "'p2' twice, for rows 3 and 6",
  );
  await refused({ 'passages.txt': ids((all) => all.pop()) }, 'DATA_INVALID', '29 ids', '30 rows');
  await refused({ 'passages.txt': ids((all) => all.push('p30')) }, 'DATA_INVALID', '31 ids', '30 rows');
  await refused(
    { 'passages.npy': npy(passages.vectors.slice(0, 29)), 'passages.txt': ids((all) => all.pop()) },
    'DATA_INVALID',
    'no vectors of 1 passage (p29)',
  );
  await refused(
    { 'queries.txt': queries.ids.join('\n').replace('q7', 'x') },
    'DATA_INVALID',
    'no vectors of 1 query (q7)',
  );
  await refused({ 'queries.txt': `${queries.ids.join('\n')}\n\n` }, 'DATA_INVALID', 'line 13', 'no id');
  for (const id of ['7', '""', 'null'])
    await refused(
      { 'passages.txt': null, 'passages.jsonl': `{"_id": ${id}}\n` },
      'DATA_INVALID',
      'passages.jsonl, line 1',
      'string with letters',
    );
});

test('a name with nothing behind its colon is refused: it stood for the folder that one is in', async () => {
  for (const prefix of ['vectors:', 'pretrained:', 'endpoint:', 'vectors: '])
    await assert.rejects(loadSystem(prefix), (error: BenchError) => {
      return error.code === 'USAGE' && /names nothing: behind the colon stands (the|a) /.test(error.message);
    });
  await assert.rejects(loadSystem('fuse:bm25+vectors:'), /names nothing/);
});
