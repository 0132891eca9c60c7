/** Records as `bench run` would leave them, with made-up figures. */
import type { RunRequest } from '../harness/pipeline/run-request.js';
import type { LatencyValues, RunRecord } from '../harness/record.js';

/** Percentiles in ratio 1 : 2 : 3, so that a column in the wrong place shows. */
function latencyOf(p50Ms: number): LatencyValues {
  const interval = { low: p50Ms, high: p50Ms };
  return {
    meanMs: p50Ms,
    p50Ms,
    p95Ms: 2 * p50Ms,
    p99Ms: 3 * p50Ms,
    intervalsMs: { p50: interval, p95: interval, p99: interval },
    samplesMs: Array.from({ length: 1000 }, () => p50Ms),
  };
}

/** A record as a run would leave it, with made-up figures. */
export function recordOf({
  architecture,
  dataset,
  seed,
}: Pick<RunRequest, 'architecture' | 'dataset' | 'seed'>): RunRecord {
  const ids = [
    'answer@5',
    'answer@20',
    'answer@100',
    'success@5',
    'success@20',
    'success@100',
    'mrr@10',
    'ndcg@10',
    'recall@100',
  ];
  const measure = (mean: number) => ({ mean, higherIsBetter: true, description: '', perQuery: [mean] });
  return {
    schemaVersion: 1,
    benchVersion: '0.1.0',
    createdAt: '2026-01-01T00:00:00Z',
    command: [],
    status: 'ok',
    seed,
    preset: 'small',
    config: {},
    arch: { name: architecture, family: 'mlr', pooling: 'sc', layers: [1, 2], vectors: 2, lambda: 1 },
    dataset: {
      name: dataset,
      version: '1',
      licence: null,
      files: [],
      passageCount: 2067,
      split: 'test',
      counts: {},
    },
    device: {
      engine: 'onnx',
      device: 'cpu',
      searcher: 'exact',
      threads: 2,
      versions: {},
      git: null,
      machine: { cpu: '', cores: 2, availableCores: 2, memoryBytes: 1, os: '', node: '' },
    },
    stages: [],
    training: { epochs: [], bestEpoch: 0, execution: { seconds: 185.4, stepsPerSecond: 1 } },
    index: {
      kind: 'Flat',
      vectorsPerPassage: 1,
      rows: 2067,
      dimensions: 128,
      shards: 1,
      sizeBytes: { vectors: 1_048_576, identifiers: 0, offsets: 0, total: 1_048_576 },
      projectedBytes: 1,
      projectedPassages: 1,
    },
    queryIds: ['q'],
    measures: Object.fromEntries(ids.map((id, i) => [id, measure(0.5 + i / 100 + seed / 1000)])),
    latency: {
      queryIds: ['q'],
      rounds: 1000,
      warmup: 0,
      interleavedWith: [],
      encode: latencyOf(4),
      search: latencyOf(0.5),
      total: latencyOf(5),
      warnings: ['the timer is coarse'],
    },
    warnings: [],
  };
}
