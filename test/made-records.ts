/** Run records made up from seeded streams: nothing is trained, and every number is known. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Stream, stream } from '../harness/random.js';
import type {
  LatencyFacts,
  LatencyValues,
  MeasureValues,
  RunRecord,
  StoredRecord,
} from '../harness/record.js';

export interface MadeRecord {
  arch?: string;
  seed?: number | null;
  queries?: number;
  /** Of them, as many as there are; 200 by default. */
  timed?: number;
  /** Added to the chance that a query is answered. */
  lift?: number;
  /** What the noise of training is drawn from; the seed where absent. */
  noise?: string;
  /** Every latency times this. */
  slower?: number;
  sizeBytes?: number;
  vectors?: number;
  layers?: number[];
  version?: string;
  split?: string;
  config?: object;
  cpu?: string;
  status?: 'ok' | 'failed';
  epochs?: number;
}

const describe = { higherIsBetter: true, description: 'made up' };

function measure(perQuery: number[]): MeasureValues {
  return { mean: perQuery.reduce((sum, value) => sum + value, 0) / perQuery.length, ...describe, perQuery };
}

function latencyOf(random: Stream, count: number, ms: number): LatencyValues {
  const samplesMs = Array.from({ length: count }, () => ms * (1 + 0.4 * random.uniform() ** 4));
  const sorted = [...samplesMs].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (count - 1))]!;
  const [p50Ms, p95Ms, p99Ms] = [at(0.5), at(0.95), at(0.99)];
  const interval = (value: number) => ({ low: 0.98 * value, high: 1.02 * value });
  return {
    meanMs: samplesMs.reduce((sum, value) => sum + value, 0) / count,
    p50Ms,
    p95Ms,
    p99Ms,
    intervalsMs: { p50: interval(p50Ms), p95: interval(p95Ms), p99: interval(p99Ms) },
    samplesMs,
  };
}

function latencies(random: Stream, ids: readonly string[], slower: number): LatencyFacts {
  const of = (ms: number) => latencyOf(random, ids.length, slower * ms);
  return {
    ...{ queryIds: ids, rounds: 1, warmup: 20, interleavedWith: [], resident: true, warnings: [] },
    ...{ tokenize: of(0.02), encode: of(1.5), search: of(0.8), total: of(2.4) },
    wholeIndexSecondsPerQuery: 0.001 * slower,
  };
}

/** A record that the schema takes. The same request gives the same record. */
export function madeRecord(request: MadeRecord = {}): RunRecord {
  const {
    arch = 'dual-encoder',
    seed = 1,
    queries = 200,
    timed = 200,
    lift = 0,
    noise = String(seed),
    slower = 1,
  } = request;
  const { vectors = 1, layers = [2], status = 'ok', epochs = 3, sizeBytes = 1000 * vectors * 512 } = request;
  const queryIds = Array.from({ length: queries }, (_, i) => `q${i}`);
  // How hard a query is belongs to the query; what a training makes of it to the training.
  const hard = stream(1, 'difficulty');
  const chance = stream(7, 'training', arch, noise);
  const answer: number[] = [];
  const reciprocal: number[] = [];
  for (let q = 0; q < queries; q++) {
    const score = 0.7 * hard.uniform() + 0.3 * chance.uniform() + lift;
    answer.push(score > 0.45 ? 1 : 0);
    reciprocal.push(score > 0.45 ? 1 / Math.max(1, Math.ceil(10 * (0.9 - score))) : 0);
  }
  const measures = { 'answer@20': measure(answer), 'mrr@10': measure(reciprocal) };
  const failed = status === 'failed';
  return {
    schemaVersion: 1,
    benchVersion: '0.1.0',
    createdAt: '2026-01-02T03:04:05.000Z',
    command: ['run', '--arch', arch],
    status,
    ...(failed && { error: { code: 'TRAINING_DIVERGED', message: 'the loss is NaN' } }),
    seed,
    preset: null,
    config: { train: { epochs }, ...request.config },
    arch: { name: arch, family: arch, pooling: null, layers, vectors, lambda: 0 },
    dataset: {
      ...{ name: 'made', version: request.version ?? '1', licence: 'CC0-1.0', passageCount: 1000 },
      ...{ split: request.split ?? 'test', counts: { test: { queries, qrels: queries } } },
      files: [{ name: 'made.json', sizeBytes: 3, sha256: 'a'.repeat(64) }],
    },
    device: {
      ...{ engine: 'onnx', device: 'cpu', searcher: 'exact', threads: 2, versions: { onnx: '1' }, git: null },
      machine: {
        ...{ cpu: request.cpu ?? 'Made CPU', cores: 2, availableCores: 2, memoryBytes: 1e9 },
        ...{ os: 'Linux', node: '20.20.2' },
      },
    },
    stages: [{ name: 'train', key: null, execution: { cached: false, seconds: 12.5 } }],
    training: {
      epochs: Array.from({ length: epochs }, (_, epoch) => ({
        ...{ epoch, steps: 10, loss: 3 / (epoch + 1) + 0.1 * lift },
        dev: { crossEntropy: 3.2 / (epoch + 1) },
      })),
      bestEpoch: epochs - 1,
      execution: { seconds: 12.5, stepsPerSecond: 3 },
    },
    index: {
      ...{ kind: 'Flat', vectorsPerPassage: vectors, rows: 1000 * vectors, dimensions: 128, shards: 1 },
      sizeBytes: { vectors: sizeBytes - 100, identifiers: 100, offsets: 0, total: sizeBytes },
      ...{ projectedBytes: 21_015_324 * 512 * vectors, projectedPassages: 21_015_324 },
    },
    queryIds: failed ? [] : queryIds,
    measures: failed ? {} : measures,
    ...(failed
      ? {}
      : { latency: latencies(stream(3, 'latency', arch, noise), queryIds.slice(0, timed), slower) }),
    warnings: [],
  };
}

/** As if read from a file. */
export function stored(request: MadeRecord = {}, file = fileNameOf(request)): StoredRecord {
  return { file, record: madeRecord(request) };
}

function fileNameOf({ arch = 'dual-encoder', seed = 1, vectors = 1 }: MadeRecord): string {
  return `made-${arch}-${seed}-${vectors}.record.json`;
}

/** Writes records into a folder. @returns their files */
export function writeRecords(folder: string, records: readonly StoredRecord[]): string[] {
  mkdirSync(folder, { recursive: true });
  return records.map(({ file, record }) => {
    const target = path.join(folder, path.basename(file));
    writeFileSync(target, JSON.stringify(record));
    return target;
  });
}
