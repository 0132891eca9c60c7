import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { textSource } from '../harness/cli/texts.js';
import { prepareReport } from '../harness/comparison.js';
import type { Dataset } from '../harness/contracts.js';
import { writeRun } from '../harness/interchange/trec.js';
import { loadDataset } from '../harness/plugins.js';
import type { StoredRecord } from '../harness/record.js';
import { madeRecord } from './made-records.js';

const folder = mkdtempSync(path.join(tmpdir(), 'bench-texts-'));
after(() => rmSync(folder, { recursive: true }));

const source = textSource({ cache: path.join(folder, 'cache') });

async function openSample(): Promise<Dataset> {
  const { plugin } = await loadDataset('sample');
  return plugin.open({ fetch: () => assert.fail('the sample downloads nothing') });
}

/** A record of the sample dataset whose run gives every query the same two passages. */
async function sampleRecord(arch: string, lift: number, passageIds: string[]): Promise<StoredRecord> {
  const dataset = await openSample();
  const queries = (await dataset.queries('test')).slice(0, 50);
  const made = madeRecord({ arch, lift, queries: queries.length });
  const queryIds = queries.map(({ queryId }) => queryId);
  const run = new Map(queryIds.map((queryId) => [queryId, { passageIds, scores: [2, 1] }]));
  const written = await writeRun(path.join(folder, `${arch}.run.gz`), run, arch);
  const { name, version, files, licence } = dataset;
  const record = {
    ...made,
    dataset: { ...made.dataset, name, version, files, licence },
    queryIds,
    run: { ...written, depth: 2 },
  };
  return { file: path.join(folder, `${arch}.record.json`), record };
}

const passages: { passageId: string; title: string; text: string }[] = [];
for await (const passage of (await openSample()).passages()) if (passages.push(passage) === 3) break;
const ids = passages.map(({ passageId }) => passageId);
const records = [
  await sampleRecord('dual-encoder', 0, [ids[0]!, ids[1]!]),
  await sampleRecord('mlr-sc', 0.2, [ids[2]!, ids[0]!]),
];

test('hits come from the file beside the record, texts and qrels from the dataset', async () => {
  const report = await prepareReport(records, { texts: source }, '0.1.0');
  const shown = report.sections[0]!.queries!;
  assert.deepEqual(shown.notes, []);
  assert.deepEqual(shown.systems, ['mlr-sc', 'dual-encoder']);
  assert.ok(shown.queries.length > 0);
  const dataset = await openSample();
  const texts = new Map((await dataset.queries('test')).map((query) => [query.queryId, query]));
  for (const { queryId, text, answers, hits } of shown.queries) {
    assert.equal(text, texts.get(queryId)!.text);
    assert.deepEqual(answers, texts.get(queryId)!.answers);
    const found = hits.map((list) =>
      list.map(({ passageId, title, text: body }) => ({ passageId, title, text: body })),
    );
    assert.deepEqual(found, [
      [passages[2], passages[0]],
      [passages[0], passages[1]],
    ]);
  }
});

test('another run file, another dataset version and a dataset that is not here leave ids only, and say so', async () => {
  const [first] = records;
  const queryIds = new Set([first!.record.queryIds[0]!]);
  const run = { ...first!.record.run!, sha256: 'f'.repeat(64) };
  const swapped = await source.run({ ...first!, record: { ...first!.record, run } });
  assert.match(swapped.note!, /is not the file that .* was made with/);
  const gone = await source.run({ ...first!, file: path.join(folder, 'elsewhere', 'a.record.json') });
  assert.match(gone.note!, /^Hits are not shown: /);
  const { run: _, ...without } = first!.record;
  assert.match((await source.run({ ...first!, record: without })).note!, /names no file/);
  const of = (dataset: object) => ({
    ...first!,
    record: { ...first!.record, dataset: { ...first!.record.dataset, ...dataset } },
  });
  const older = await source.texts(of({ version: '0' }), queryIds, new Set());
  assert.match(older.note!, /is here in version .* the record is of version 0/);
  const unknown = await source.texts(of({ name: 'mine' }), queryIds, new Set());
  assert.match(unknown.note!, /only ids: There is no dataset 'mine'/);
  const absent = await source.texts(of({ name: 'squad' }), queryIds, new Set());
  assert.match(absent.note!, /only ids: /);
});

test('a damaged run file is a note, not the end of the report', async () => {
  const damaged = path.join(folder, 'damaged.run.gz');
  writeFileSync(damaged, 'not a run\n');
  const { describeFile } = await import('../harness/store/hash-once.js');
  const record = { ...records[0]!.record, run: { ...(await describeFile(damaged)), depth: 2 } };
  const { note, run } = await source.run({ file: path.join(folder, 'x.record.json'), record });
  assert.equal(run, undefined);
  assert.match(note!, /damaged\.run\.gz, line 1/);
});
