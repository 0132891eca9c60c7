/** Run records as MTEB's results and as ir_metadata. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { type Command, execute } from '../harness/cli/command.js';
import { command as exportCommand } from '../harness/cli/export.js';
import { type RunRecord, writeRecord } from '../harness/record.js';
import { recordOf } from './run-records.js';

const folder = mkdtempSync(path.join(tmpdir(), 'strata-export-record-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => path.join(folder, name);

async function bench(command: Command, ...words: string[]): Promise<string> {
  let printed = '';
  assert.equal(
    await execute('test', command, words, (text) => {
      printed += text;
    }),
    0,
  );
  return printed;
}
const exported = (...words: string[]) => bench(exportCommand, '--record', at('ours.record.json'), ...words);
const refused = (promise: Promise<unknown>, code: string, message: RegExp) =>
  assert.rejects(promise, { code, message });

const measure = (mean: number) =>
  ({ mean, higherIsBetter: true, unit: 'share', description: 'x', perQuery: [mean] }) as const;
const ours: RunRecord = {
  ...recordOf({ architecture: 'mlr-sc', dataset: 'beir/scifact', seed: 1 }),
  measures: {
    'ndcg@10': measure(0.645),
    'map@100': measure(0.5),
    'p@5': measure(0.25),
    'mrr@10': measure(0.75),
    'success@5': measure(0.875),
    'recall@100': measure(0.925),
    'answer@5': measure(0.5),
    map: measure(0.4),
  },
};
await writeRecord(at('ours.record.json'), ours);

test('a record as a result of mteb', async () => {
  await exported(
    '--format',
    'mteb',
    '--task',
    'SciFact',
    '--languages',
    'eng-Latn',
    '--out',
    at('SciFact.json'),
  );
  const result = JSON.parse(readFileSync(at('SciFact.json'), 'utf8'));
  assert.deepEqual(result.scores, {
    test: [
      {
        ...{
          ndcg_at_10: 0.645,
          map_at_100: 0.5,
          precision_at_5: 0.25,
          mrr_at_10: 0.75,
          hit_rate_at_5: 0.875,
        },
        ...{ recall_at_100: 0.925, main_score: 0.645, hf_subset: 'default', languages: ['eng-Latn'] },
      },
    ],
  });
  const { scores: _, evaluation_time: seconds, ...others } = result;
  assert.deepEqual(others, {
    ...{ dataset_revision: ours.dataset.version, task_name: 'SciFact', mteb_version: null },
    ...{ kg_co2_emissions: null, date: Date.parse(ours.createdAt) / 1000 },
  });
  assert.equal(
    seconds,
    ours.stages.length === 0 ? null : ours.stages.reduce((sum, { execution }) => sum + execution.seconds, 0),
  );
});

test('of a dataset of the hub the revision is its commit', async () => {
  const commit = 'c'.repeat(40);
  const dataset = { ...ours.dataset, version: `hub-1 ${commit} ${'d'.repeat(40)}` };
  await writeRecord(at('hub.record.json'), { ...ours, dataset });
  await bench(exportCommand, '--record', at('hub.record.json'), '--format', 'mteb', '--out', at('hub.json'));
  assert.equal(JSON.parse(readFileSync(at('hub.json'), 'utf8')).dataset_revision, commit);
});

test('what made a run, as ir_metadata', async () => {
  await exported('--format', 'ir_metadata', '--out', at('ours.ir_metadata.yaml'));
  const text = readFileSync(at('ours.ir_metadata.yaml'), 'utf8');
  const lines = text.trimEnd().split('\n');
  assert.deepEqual([lines[0], lines.at(-1)], ['# ir_metadata.start', '# ir_metadata.end']);
  // By any parser of YAML, as it is.
  const metadata = parse(text);
  // In a run, behind the signs of a comment, it is the same.
  const [, inRun] = /# ir_metadata\.start\n([\s\S]*)# ir_metadata\.end\n/.exec(
    text.replace(/^(?!#)/gm, '# '),
  )!;
  assert.deepEqual(parse(inRun!.replace(/^# /gm, '')), metadata);
  assert.deepEqual(Object.keys(metadata), [
    ...[
      'schema-version',
      'run-version',
      'tag',
      'platform',
      'research goal',
      'implementation',
      'data',
      'method',
    ],
  ]);
  assert.equal(metadata.tag, 'mlr-sc');
  assert.equal(metadata.platform.hardware.cpu['number of cores'], ours.device.machine.cores);
  assert.deepEqual(metadata.platform.software['retrieval toolkit'], ['strata-bench==0.1.0']);
  assert.deepEqual(metadata['research goal'].evaluation['reported measures'], Object.keys(ours.measures));
  assert.match(metadata.data['test collection'].name, /^beir\/scifact, test$/);
  assert.equal(metadata.method.retrieval[0].method, 'mlr');
});

test('an export is made of a record or of a checkpoint', async () => {
  const out = ['--out', at('x')];
  await refused(exported('--format', 'onnx', ...out), 'USAGE', /made of one thing: --checkpoint/);
  await refused(bench(exportCommand, '--format', 'mteb', ...out), 'USAGE', /made of one thing: --record/);
  await refused(exported('--format', 'ir_metadata', '--task', 'x', ...out), 'USAGE', /--task plays no part/);
  await refused(exported('--format', 'mtep', ...out), 'UNKNOWN_NAME', /Did you mean 'mteb'/);
  const { 'ndcg@10': _, ...measures } = ours.measures;
  await writeRecord(at('without.record.json'), { ...ours, measures });
  const without = bench(exportCommand, '--record', at('without.record.json'), '--format', 'mteb', ...out);
  await refused(without, 'RECORD_INVALID', /no ndcg@10, which is the main score/);
});
