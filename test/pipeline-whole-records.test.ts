/**
 * Everything that whole runs of each kind of system record and say, beside a golden copy of it; what they take is held to what
 * it must add up to. STRATA_GOLDEN=write writes the copy anew.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type Progress, silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { sweep } from '../harness/sweep.js';
import { assertClosed } from './open-files.js';
import { root as checkout } from './places.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const golden = path.join(checkout, 'test/golden/whole-records.json');
let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-whole-'));
  const data = path.join(root, 'data');
  await writeTinyCollection(data);
  const qrels = (...queries: number[]) =>
    `query-id\tcorpus-id\tscore\n${queries.map((q) => `q${q}\tp${q}\t1\n`).join('')}`;
  await writeFile(path.join(data, 'qrels', 'train.tsv'), qrels(8, 9));
  await writeFile(path.join(data, 'qrels', 'dev.tsv'), qrels(10, 11));
});
after(() => rm(root, { recursive: true, force: true }));

const two = ['stages=2', 'train.epochs=3', 'train.batchSize=1', 'stage2.depth=10', 'stage2.epochs=1'];
const asked = () => {
  const usual = ['device=cpu', 'threads=1', 'latency.queries=3', 'measures=["mrr@10","recall@5"]'];
  const of = (name: string, ...set: string[]) => tinyRequest(root, name, 1, ...usual, ...set);
  return [
    of('bm25'),
    of('mlr-sc', ...two),
    of('mlr', 'encode.precision=int8', 'encode.shardPassages=12'),
    of('fuse:bm25+mlr-sc', ...two),
    of('rerank:bm25>mlr-sc', ...two),
  ];
};

interface Told {
  lines: string[];
  stages: string[];
}

/** Keeps every line, and of every stage what it began with, how far it came and how it ended. */
function listening(): Told & { progress: Progress } {
  const [lines, stages]: string[][] = [[], []];
  const stage: Progress['stage'] = (name, total = Infinity, unit = 'of what is not counted') => {
    let furthest = 0;
    return {
      update(done) {
        assert.ok(done >= furthest && done <= total, `${name}: ${done} after ${furthest} of ${total}`);
        furthest = done;
      },
      end: () => void stages!.push(`${name}: ${furthest} of ${total} ${unit}`),
    };
  };
  const note = (line: string) => void lines!.push(line);
  const remark = (line: string) => void lines!.push(`remark: ${line}`);
  return { lines: lines!, stages: stages!, progress: { ...silentProgress(), note, remark, stage } };
}

/** What is another on every machine, at every time, or with every change of the program; by its name. */
const passing = new Set([
  ...['createdAt', 'madeAt', 'git', 'machine', 'versions', 'modules', 'libraries', 'key', 'benchVersion'],
  ...['seconds', 'peakMemoryBytes', 'stepsPerSecond', 'passagesPerSecond', 'javascriptShare', 'sha256'],
  ...['meanMs', 'p50Ms', 'p95Ms', 'p99Ms', 'intervalsMs', 'queriesPerSecond', 'config', 'files'],
  ...['wholeIndexSecondsPerQuery', 'command', 'mean', 'perQuery', 'loss', 'crossEntropy', 'averageRank'],
  ...['gold', 'cpu'],
]);

/** The value without what passes: of that the kind stays, of a file's name its stem. */
function lasting(value: unknown, name = ''): unknown {
  if (value !== null && passing.has(name)) return Array.isArray(value) ? 'list' : typeof value;
  if (typeof value === 'number') return Number.isInteger(value) ? value : 'fraction';
  if (typeof value === 'string') return plain(value);
  if (Array.isArray(value))
    return name === 'samplesMs' || name === 'samplesSeconds'
      ? value.length
      : value.map((each) => lasting(each));
  if (typeof value !== 'object' || value === null) return value;
  // Of a packed file the bytes are those of this zlib; and of how fine a clock is latencies warn.
  const left = 'sha256' in value ? 'sizeBytes' : name === 'latency' ? 'warnings' : undefined;
  const own = Object.entries(value).filter(([key]) => key !== left);
  return Object.fromEntries(own.map(([key, each]) => [key, lasting(each, key)]));
}

const plain = (text: string) =>
  text
    .replaceAll(root, 'ROOT')
    .replace(/-[0-9a-f]{8}\./g, '-HASH.')
    .replace(/[\d.]+ (ms|s|min|MiB|KiB|kB)\b/g, 'N $1')
    .replace(/\d+\.\d+/g, 'N');

async function told() {
  const { progress, lines, stages } = listening();
  const { records, failures } = await sweep(asked(), progress);
  assert.deepEqual(failures, []);
  const inCache = records.map(({ arch, stages: own }) => [
    arch.name,
    ...own.map(({ name, execution }) => `${name}: ${execution.cached ? 'cached' : 'made'}`),
  ]);
  return { records, kept: { lines: lines.map(plain), stages, inCache } };
}

const begunAt = new Date().toISOString();

test('records, lines and stages of whole runs, made and from the cache', async () => {
  const [made, cached] = [await told(), await told()];
  const records = made.records.map((record) => lasting(record) as Record<string, unknown>);
  const found = { made: made.kept, cached: cached.kept, records };
  if (process.env.STRATA_GOLDEN === 'write') writeFileSync(golden, compact(found));
  assert.deepEqual(JSON.parse(compact(found)), JSON.parse(readFileSync(golden, 'utf8')));
  for (const [i, record] of cached.records.entries()) {
    const { stages: _, ...again } = lasting(record) as Record<string, unknown>;
    const { stages: __, ...first } = records[i]!;
    assert.deepEqual(again, first);
  }
  for (const record of [...made.records, ...cached.records]) addsUp(record);
  await assertClosed(root);
});

/** JSON with the members of lists and objects on lines of their own, down to those of a record. */
function compact(found: { made: object; cached: object; records: readonly object[] }): string {
  const members = (object: object) =>
    `{\n${Object.entries(object)
      .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
      .join(',\n')}\n}`;
  const records = found.records.map(members).join(',\n');
  return `{"made": ${members(found.made)},\n"cached": ${members(found.cached)},\n"records": [\n${records}\n]}\n`;
}

const near = (actual: number, expected: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.abs(expected), `${what}: ${actual} for ${expected}`);
const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);

/** What the figures of a record must have to do with each other. */
function addsUp(record: RunRecord): void {
  const { arch, createdAt, stages, latency, measures, queryIds, training } = record;
  const now = new Date().toISOString();
  assert.ok(createdAt >= begunAt && createdAt <= now, createdAt);
  const most = process.resourceUsage().maxRSS * 1024;
  let before = 2 ** 20;
  for (const { name, execution } of stages) {
    assert.ok(execution.seconds > 0, `${arch.name}: ${name}`);
    if (execution.cached) continue;
    const peak = execution.peakMemoryBytes!;
    assert.ok(peak >= before && peak <= most, name);
    before = peak;
  }
  for (const { mean, perQuery } of Object.values(measures)) {
    assert.equal(perQuery.length, queryIds.length);
    near(mean, sum(perQuery) / perQuery.length, 'mean');
  }
  const parts = (['tokenize', 'encode', 'search', 'total'] as const).flatMap((part) => latency![part] ?? []);
  for (const { meanMs, p50Ms, p95Ms, p99Ms, samplesMs, intervalsMs } of parts) {
    near(meanMs, sum(samplesMs) / samplesMs.length, 'mean of samples');
    const sorted = [...samplesMs].sort((a, b) => a - b);
    near(p50Ms, sorted[1]!, 'median of three');
    assert.ok(p95Ms >= p50Ms && p95Ms <= sorted[2]!);
    // Of three samples there is none.
    assert.equal(p99Ms, null);
    for (const interval of Object.values(intervalsMs))
      assert.ok(interval === null || (interval.low >= sorted[0]! && interval.high <= sorted[2]!));
  }
  for (const i of [0, 1, 2]) {
    const own = parts.slice(0, -1).map(({ samplesMs }) => samplesMs[i]!);
    // What lies between the parts is in the whole alone.
    assert.ok(parts.at(-1)!.samplesMs[i]! >= sum(own) * (1 - 1e-9), `${arch.name}: query ${i}`);
  }
  const timing = stages.find(({ name }) => name === 'latency')!.execution.seconds;
  for (const { queries, seconds, queriesPerSecond } of latency!.throughput!) {
    near(queriesPerSecond * seconds, queries, 'throughput');
    assert.ok(timing > seconds);
  }
  assert.ok(1000 * timing > sum(parts.at(-1)!.samplesMs));
  if (training === undefined || training.epochs.length === 0) return;
  const { seconds, stepsPerSecond } = training.execution!;
  const epochs = sum(training.epochs.map(({ execution }) => execution!.seconds));
  assert.ok(epochs > 0 && epochs <= seconds, `${epochs} of ${seconds}`);
  assert.ok(stepsPerSecond >= 0);
}
