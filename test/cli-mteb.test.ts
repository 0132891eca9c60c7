/** MTEB's results as run records. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { type Command, execute } from '../harness/cli/command.js';
import { command as convert } from '../harness/cli/convert.js';
import { command as exportCommand } from '../harness/cli/export.js';
import { command as report } from '../harness/cli/report.js';
import { readRecord, writeRecord } from '../harness/record.js';
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

await writeRecord(
  at('ours.record.json'),
  recordOf({ architecture: 'mlr-sc', dataset: 'beir/scifact', seed: 1 }),
);

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
  assert.match(table, /\| ours \|.*57\.1/);
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

test("Python's NaN is read where no measure is taken of it, and refused by name where one is", async () => {
  const [scores] = theirs.scores.test;
  // As json.dump of Python writes it, which mteb does for nauc_recall_at_1000 where recall is 1 throughout.
  const text = JSON.stringify({ ...theirs, task_name: 'A NaN, "-Infinity"' });
  const written = text.replace(
    '"nauc_ndcg_at_10_max":-0.2',
    '"nauc_ndcg_at_10_max":NaN,"x":[-Infinity, Infinity]',
  );
  assert.notEqual(written, text);
  writeFileSync(at('result.json'), written);
  const record = await converted();
  assert.equal(record.measures['ndcg@10']!.mean, 0.64508);
  assert.equal(record.dataset.name, 'mteb:A NaN, "-Infinity"');
  writeFileSync(at('result.json'), text.replace(`"ndcg_at_10":${scores!.ndcg_at_10}`, '"ndcg_at_10":NaN'));
  await refused(converted(), 'RECORD_INVALID', /ndcg_at_10 .*is "NaN", not a number from 0 to 1/);
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
