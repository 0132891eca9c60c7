/** Run records, baselines, configurations and reproductions. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadConfig } from '../../../harness/config/config.js';
import { importMteb } from '../../../harness/pipeline/record-exchange.js';
import { readRecord, readRecords } from '../../../harness/record/read.js';
import type { RunRecord, StoredRecord } from '../../../harness/record.js';
import { readBaseline, readBaselineIfAny } from '../../../harness/regression/baseline.js';
import { evidenceIn } from '../../../harness/regression/evidence.js';
import { loadReproduction } from '../../../harness/reproduction/files.js';
import { gridOf } from '../../../harness/reproduction/grid.js';
import { madeRecord } from '../../made-records.js';
import { prepare, render } from '../../made-reports.js';
import { grid, gridOptions } from '../../tiny-grid.js';
import type { Files, Loader } from '../loader.js';
import { texts } from '../valid-files.js';

const small = { queries: 4 };
const took = { seconds: 2.5, cpu: 'Made CPU', threads: 2 };
const made = { madeAt: '2026-01-01T00:00:00.000Z', benchVersion: '0.1.0', git: null, took };
const costly: Partial<RunRecord> = {
  stages: [{ name: 'encode', key: '0123456789abcdef0123', execution: { cached: true, seconds: 0, made } }],
  answering: {
    ...{ queries: 9, warmup: 4, openSeconds: 0.5, seconds: 0.5 },
    costs: { 'memory-bytes': { value: 2 ** 27 }, 'joules-per-query': { value: null, reason: 'no counters' } },
  },
};
const records = [
  madeRecord(small),
  { ...madeRecord({ ...small, arch: 'mlr-sc', lift: 0.2 }), ...costly },
  madeRecord({ ...small, status: 'failed' }),
];
const recordFiles: Files[] = [
  texts({ 'a.record.json': JSON.stringify(records[0]), 'b.record.json': JSON.stringify(records[1]) }),
  texts({ 'a.record.json': JSON.stringify(records[2]), 'b.record.json': JSON.stringify(records[1]) }),
];
const baseline = `{"baselineVersion":1,"records":[\n${records
  .slice(0, 2)
  .map((record) => JSON.stringify(record))
  .join(',\n')}\n]}\n`;

const mteb = {
  dataset_revision: '0228b52c',
  task_name: 'SciFact',
  mteb_version: '2.26.24',
  scores: {
    test: ['default', 'other'].map((hf_subset) => ({
      ...{
        ndcg_at_10: 0.645,
        recall_at_100: 0.925,
        mrr_at_10: 0.6,
        hit_rate_at_5: 0.7,
        nauc_mrr_at_10_max: -0.1,
      },
      ...{ main_score: 0.645, hf_subset, languages: ['eng-Latn'] },
    })),
  },
  evaluation_time: 3.5,
};

const config = JSON.stringify({
  $schema: './harness/config.schema.json',
  preset: ['small'],
  arch: { layers: [1, 2], vectors: 4, lambda: [0.1, 0.5] },
  model: { name: 'scratch', scratch: { layers: 2, dimensions: 16, heads: 2 } },
  train: { epochs: 3, batchSize: 16, chunkSize: null, learningRate: 1e-4 },
  index: { kind: 'IVF64,Flat', nprobe: [1, 8] },
  searcher: 'faiss',
  latency: { queries: 10, batchSizes: [1, 16] },
  measures: ['mrr@10', 'answer@20'],
  seeds: [1, 2, 3],
});

const settings = [
  'train.epochs=3',
  'arch.layers=10,12',
  'measures=["mrr@10"]',
  'model.name=1234',
  'seeds=1,2',
  'arch.lambda=null',
  'threads=2',
];

const loaders: readonly Loader[] = [
  {
    name: 'record',
    inputs: () => recordFiles,
    codes: ['RECORD_INVALID', 'PATH_INVALID'],
    async load(folder) {
      await readRecords([folder]);
      await readRecord(path.join(folder, 'a.record.json'));
    },
  },
  {
    // Records that are taken can be compared and written in every format.
    name: 'report',
    inputs: () => [recordFiles[0]!],
    codes: ['RECORD_INVALID', 'PATH_INVALID', 'DATA_INVALID', 'USAGE'],
    async load(folder) {
      const read: StoredRecord[] = await readRecords([folder]);
      const report = await prepare(read);
      for (const format of ['markdown', 'csv', 'latex', 'json']) await render(format, report);
    },
  },
  {
    name: 'baseline',
    inputs: () => [texts({ 'baseline.json': baseline })],
    codes: ['RECORD_INVALID', 'PATH_INVALID'],
    async load(folder) {
      const file = path.join(folder, 'baseline.json');
      await readBaselineIfAny(file);
      const stored = await readBaseline(file);
      evidenceIn(stored, [{ file: 'x', record: records[1]! }]);
    },
  },
  {
    // What mteb found out, and what its folder is called.
    name: 'mteb-result',
    writes: true,
    inputs: () => [
      texts({
        'SciFact.json': JSON.stringify(mteb),
        'model_meta.json': '{"name": "org/model", "revision": null}',
      }),
    ],
    codes: ['RECORD_INVALID', 'PATH_INVALID', 'UNKNOWN_NAME'],
    async load(folder) {
      const out = path.join(folder, 'out.record.json');
      await importMteb({ result: path.join(folder, 'SciFact.json'), out });
      await readRecord(out);
    },
  },
  {
    name: 'config',
    inputs: () => [texts({ 'bench.config.json': config })],
    codes: ['CONFIG_INVALID', 'PATH_INVALID', 'UNKNOWN_NAME'],
    async load(folder) {
      loadConfig({ cwd: folder, file: 'bench.config.json', dataset: 'dpr/trivia' });
    },
  },
  {
    name: 'settings',
    inputs: () => [texts({ input: settings.join('\n') })],
    codes: ['CONFIG_INVALID', 'USAGE', 'UNKNOWN_NAME'],
    async load(folder) {
      const set = readFileSync(path.join(folder, 'input'), 'utf8').split('\n');
      loadConfig({ cwd: folder, set, flags: { model: set[0], threads: 2 } });
    },
  },
  {
    name: 'reproduction',
    inputs: () => [texts({ 'own.json': JSON.stringify(grid) })],
    codes: ['DATA_INVALID', 'PATH_INVALID', 'CONFIG_INVALID', 'UNKNOWN_NAME'],
    async load(folder) {
      const loaded = loadReproduction(path.join(folder, 'own.json'));
      await gridOf(loaded, gridOptions(folder, 'small'));
    },
  },
];

export default loaders;
