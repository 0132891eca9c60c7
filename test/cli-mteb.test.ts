/** Run records as MTEB's results and as ir_metadata, and MTEB's results as run records. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'yaml';
import { type Command, execute } from '../harness/cli/command.js';
import { command as convert } from '../harness/cli/convert.js';
import { command as exportCommand } from '../harness/cli/export.js';
import { command as report } from '../harness/cli/report.js';
import { type RunRecord, readRecord, writeRecord } from '../harness/record.js';
import { recordOf } from './run-records.js';

const folder = mkdtempSync(path.join(tmpdir(), 'strata-mteb-'));
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

/** As mteb 2 writes it, with what is passed over. */
const theirs = {
  dataset_revision: '0228b52cf27578f30900b9e5271d331663a030d7',
  task_name: 'SciFact',
  mteb_version: '2.26.24',
  scores: {
    test: [
      {
        ...{
          ndcg_at_1: 0.50333,
          ndcg_at_10: 0.64508,
          map_at_10: 0.59,
          recall_at_100: 0.925,
          precision_at_10: 0.088,
        },
        ...{
          mrr_at_10: 0.6,
          hit_rate_at_10: 0.8,
          nauc_ndcg_at_10_max: -0.2,
          accuracy: 0.4,
          main_score: 0.64508,
        },
        ...{ hf_subset: 'default', languages: ['eng-Latn'], mteb_version: '2.26.24' },
      },
    ],
  },
  evaluation_time: 3.5,
  kg_co2_emissions: null,
  date: 1735689600.5,
};
const put = (name: string, value: unknown) => writeFileSync(at(name), JSON.stringify(value));
const converted = async (...words: string[]) => {
  await bench(
    convert,
    '--run',
    at('result.json'),
    '--to',
    'record',
    '--out',
    at('theirs.record.json'),
    ...words,
  );
  return readRecord(at('theirs.record.json'));
};

test('a result of mteb as a record, beside one of ours in one table', async () => {
  put('result.json', theirs);
  put('model_meta.json', { name: 'sentence-transformers/all-MiniLM-L6-v2', revision: 'abc' });
  const record = await converted();
  assert.equal(record.arch.name, 'sentence-transformers/all-MiniLM-L6-v2');
  assert.deepEqual(
    [record.dataset.name, record.dataset.version, record.dataset.split],
    ['mteb:SciFact', theirs.dataset_revision, 'test'],
  );
  assert.deepEqual(
    Object.entries(record.measures).map(([id, { mean, perQuery }]) => [id, mean, perQuery]),
    [
      ['ndcg@1', 0.50333, [0.50333]],
      ['ndcg@10', 0.64508, [0.64508]],
      ['map@10', 0.59, [0.59]],
      ['recall@100', 0.925, [0.925]],
      ['p@10', 0.088, [0.088]],
      ['mrr@10', 0.6, [0.6]],
      ['success@10', 0.8, [0.8]],
    ],
  );
  assert.ok(record.warnings.some((line) => /mteb keeps means alone/.test(line)));
  assert.equal((await converted('--tag', 'mine')).arch.name, 'mine');
  // Ours goes the same way, so that both have means alone.
  await exported('--format', 'mteb', '--task', 'SciFact', '--out', at('ours.json'));
  const own = JSON.parse(readFileSync(at('ours.json'), 'utf8'));
  put('ours.json', { ...own, dataset_revision: theirs.dataset_revision });
  await bench(
    convert,
    '--run',
    at('ours.json'),
    '--to',
    'record',
    '--tag',
    'ours',
    '--out',
    at('back.record.json'),
  );
  const out = at('table.md');
  await bench(report, at('theirs.record.json'), at('back.record.json'), '--format', 'markdown', '--out', out);
  const table = readFileSync(out, 'utf8');
  assert.match(table, /mteb:SciFact/);
  assert.match(table, /\| mine \|.*64\.5/);
  assert.match(table, /\| ours \|.*64\.5/);
});

test('of several subsets the mean, each standing where a query stands; of several splits the one that is asked for', async () => {
  const [scores] = theirs.scores.test;
  const subset = (name: string, ndcg: number) => ({ ...scores, hf_subset: name, ndcg_at_10: ndcg });
  put('result.json', { ...theirs, scores: { dev: [scores], test: [subset('en', 0.5), subset('de', 0.25)] } });
  const record = await converted();
  assert.deepEqual(record.queryIds, ['SciFact/en', 'SciFact/de']);
  assert.deepEqual(record.measures['ndcg@10']!.perQuery, [0.5, 0.25]);
  assert.equal(record.measures['ndcg@10']!.mean, 0.375);
  assert.equal((await converted('--split', 'dev')).dataset.split, 'dev');
  await refused(converted('--split', 'train'), 'RECORD_INVALID', /no split 'train'; it has dev, test/);
});

test('what is no result of a retrieval task is refused, and nothing is written', async () => {
  const before = readdirSync(folder).sort();
  const [scores] = theirs.scores.test;
  const wrong = async (value: unknown, message: RegExp) => {
    put('result.json', value);
    await refused(converted(), 'RECORD_INVALID', message);
  };
  await wrong([], /is not a retrieval result of mteb/);
  await wrong({ ...theirs, scores: undefined }, /scores/);
  await wrong({ ...theirs, scores: { test: [] } }, /scores/);
  await wrong({ ...theirs, scores: { test: [{ ...scores, main_score: 'x' }] } }, /main_score/);
  await wrong(
    { ...theirs, scores: { test: [{ ...scores, ndcg_at_10: 64.5 }] } },
    /ndcg_at_10 .*is 64\.5, not a number from 0 to 1/,
  );
  await wrong(
    { ...theirs, scores: { test: [scores, { ...scores, hf_subset: 'x', map_at_10: undefined }] } },
    /map_at_10/,
  );
  await wrong({ ...theirs, scores: { test: [scores, scores] } }, /has a subset twice/);
  const { main_score, hf_subset, languages } = scores!;
  await wrong(
    { ...theirs, scores: { test: [{ main_score, hf_subset, languages, accuracy: 1 }] } },
    /no ndcg_at_10/,
  );
  writeFileSync(at('result.json'), '{"task_name":');
  await refused(converted(), 'RECORD_INVALID', /is not JSON/);
  await refused(
    bench(convert, '--run', at('none'), '--to', 'record', '--out', at('x')),
    'PATH_INVALID',
    /none/,
  );
  await refused(converted('--dataset', 'sample'), 'USAGE', /--dataset play no part/);
  assert.deepEqual(readdirSync(folder).sort(), before);
});

test('what made a run, as ir_metadata', async () => {
  await exported('--format', 'ir_metadata', '--out', at('ours.ir_metadata.yaml'));
  const lines = readFileSync(at('ours.ir_metadata.yaml'), 'utf8').trimEnd().split('\n');
  assert.deepEqual([lines[0], lines.at(-1)], ['ir_metadata.start', 'ir_metadata.end']);
  const metadata = parse(lines.slice(1, -1).join('\n'));
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
