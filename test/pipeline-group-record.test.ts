/** A name that stands for several datasets: run on each, and averaged with each counting the same. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/run.js';
import { averageGroups, averageOf } from '../harness/pipeline/group-record.js';
import { datasetsNamed, loadDataset } from '../harness/plugins.js';
import { createProgress } from '../harness/progress.js';
import { type RunRecord, readRecord } from '../harness/record.js';
import { inFolder } from './datasets-folder.js';
import { recordOf } from './fixtures/record/run-record.js';

let work: string;
before(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'strata-group-'));
});
after(() => rm(work, { recursive: true, force: true }));

const forums = (await datasetsNamed('beir/cqadupstack')).map((name) => name.split('/').at(-1)!);
const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Forum f has f + 1 queries; the passage sought is the first of the even forums' hits, and is not found in the others. */
const files = Object.fromEntries(
  forums.flatMap((forum, f) => {
    const queries = Array.from({ length: f + 1 }, (_, q) => `q${q}`);
    return [
      [
        `cqadupstack/${forum}/corpus.jsonl`,
        lines([
          { _id: 'd1', text: 'bread' },
          { _id: 'd2', text: 'salt' },
        ]),
      ],
      [`cqadupstack/${forum}/queries.jsonl`, lines(queries.map((_id) => ({ _id, text: 'bread' })))],
      [
        `cqadupstack/${forum}/qrels/test.tsv`,
        queries.map((id) => `${id}\t${f % 2 === 0 ? 'd1' : 'd2'}\t1\n`).join(''),
      ],
    ];
  }),
);

const run = (folder: string, ...more: string[]) => {
  let printed = '';
  const argv = [
    '--arch',
    'bm25',
    '--dataset',
    'beir/cqadupstack',
    '--data',
    folder,
    '--measures',
    'mrr@10,success@5',
  ];
  const places = ['--cache', path.join(work, 'cache'), '--out', path.join(work, 'out')];
  return execute('run', command, [...argv, ...places, ...more], (text) => {
    printed += text;
  }).then((code) => ({ code, printed }));
};

test('twelve forums are run and averaged, a forum of one query counting as much as one of twelve', () =>
  inFolder(files, async (folder) => {
    const { code, printed } = await run(folder, '--json');
    assert.equal(code, 0);
    const records = JSON.parse(printed) as RunRecord[];
    assert.equal(records.length, 13);
    const average = records.at(-1)!;
    assert.equal(average.dataset.name, 'beir/cqadupstack');
    // Half of the forums find it: over queries it would be 36 of 78.
    assert.equal(average.measures['mrr@10']!.mean, 0.5);
    assert.deepEqual(
      average.measures['success@5']!.perQuery,
      forums.map((_, f) => 1 - (f % 2)),
    );
    assert.deepEqual(
      average.queryIds,
      records.slice(0, 12).map(({ dataset }) => dataset.name),
    );
    assert.deepEqual(average.dataset.members, average.queryIds);
    assert.deepEqual([average.dataset.passageCount, average.dataset.counts.test!.queries], [24, 78]);
    const sizes = records.slice(0, 12).map(({ index }) => index!.sizeBytes.total);
    assert.equal(
      average.index!.sizeBytes.total,
      sizes.reduce((sum, size) => sum + size),
    );
    assert.match(average.warnings[0]!, /means over 12 datasets of 78 queries/);
    const written = (await readdir(path.join(work, 'out'))).filter((name) =>
      /^beir-cqadupstack-bm25-12345-/.test(name),
    );
    assert.equal(written.length, 1);
    const { createdAt, ...rest } = await readRecord(path.join(work, 'out', written[0]!));
    assert.deepEqual({ createdAt, ...rest }, average);
    const table = (await run(folder)).printed;
    assert.match(table, /^beir\/cqadupstack, test: 12 datasets, their means averaged, 24 passages$/m);
  }));

test('a folder that is one collection is not taken for all twelve', () =>
  inFolder({ 'corpus.jsonl': '', 'queries.jsonl': '' }, async (folder) => {
    const request = { folder, variant: 'cqadupstack/android', fetch: () => assert.fail('fetched') };
    const { plugin } = await loadDataset('beir/cqadupstack/android');
    await assert.rejects(plugin.open(request), /no android\/corpus.jsonl/);
  }));

test('without the records of all members there is no average, and it is said', async () => {
  const told: string[] = [];
  const progress = createProgress({ output: { write: (text) => void told.push(text) } });
  const names = await datasetsNamed('beir/cqadupstack');
  const records = names.map((name): RunRecord => {
    const record = recordOf();
    return { ...record, dataset: { ...record.dataset, name } };
  });
  assert.equal(averageOf('beir/cqadupstack', records).queryIds.length, 12);
  records[3] = { ...records[3]!, status: 'failed' };
  assert.deepEqual(await averageGroups(['beir/cqadupstack', 'sample'], records, work, progress), []);
  assert.match(told.join(''), /not averaged for .*: beir\/cqadupstack\/gis did not end well/);
  assert.deepEqual(await averageGroups(['sample'], records, work, progress), []);
});

test('where one dataset is needed the name of a group is refused with its members', async () => {
  await assert.rejects(loadDataset('beir/cqadupstack'), {
    code: 'UNKNOWN_NAME',
    message: "'beir/cqadupstack' stands for 12 datasets.",
  });
  assert.deepEqual(await datasetsNamed('beir/scifact'), ['beir/scifact']);
  await assert.rejects(datasetsNamed('beir/cqadupstak'), /Did you mean 'beir\/cqadupstack'/);
});
