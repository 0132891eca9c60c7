/** Collections with gaps, from files to record: what is missing is said and counted, and nothing is dropped in silence. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/run.js';
import { readRun } from '../harness/interchange/trec.js';
import type { RunRecord } from '../harness/record.js';
import { inFolder } from './datasets-folder.js';
import { inFixtures } from './places.js';

let work: string;
before(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'strata-odd-'));
});
after(() => rm(work, { recursive: true, force: true }));

const files = {
  'corpus.jsonl': '{"_id":"d1","text":"bread and salt"}\n{"_id":"d2","text":"wine"}\n',
  'queries.jsonl': '{"_id":"q1","text":"bread wine"}\n{"_id":"q2","text":"wine"}\n',
};

function record(
  more: Readonly<Record<string, string>>,
  measures: string,
  dataset = 'beir',
  ...options: string[]
): Promise<RunRecord> {
  return inFolder({ ...files, ...more }, async (folder) => {
    let printed = '';
    const argv = ['--arch', 'bm25', '--dataset', dataset, '--data', folder, '--measures', measures, '--json'];
    argv.push(...options);
    const places = ['--cache', path.join(work, 'cache'), '--out', path.join(work, 'out')];
    const code = await execute('run', command, [...argv, ...places], (text) => {
      printed += text;
    });
    assert.equal(code, 0);
    return JSON.parse(printed) as RunRecord;
  });
}

test('qrels of unknown passages and queries count in the mean, and a negative grade is not relevant', async () => {
  const { queryIds, measures, warnings } = await record(
    { 'qrels/test.tsv': 'q1\td1\t2\nq1\td2\t-1\nq2\tgone\t1\nq9\td1\t1\n' },
    'success@5,recall@100,ndcg@10',
  );
  assert.deepEqual(queryIds, ['q1', 'q2', 'q9']);
  // q1 finds d1; what q2 seeks is not in the collection; q9 has no text. A grade of -1 is no gain and no relevant passage.
  assert.deepEqual(measures['success@5']!.perQuery, [1, 0, 0]);
  assert.deepEqual(measures['recall@100']!.perQuery, [1, 0, 0]);
  assert.ok(measures['ndcg@10']!.perQuery[0]! <= 1 && measures['ndcg@10']!.perQuery[0]! > 0);
  assert.ok(Math.abs(measures['success@5']!.mean - 1 / 3) < 1e-12);
  assert.match(warnings.join('\n'), /1 test qrel names a passage that the collection does not have/);
  assert.match(warnings.join('\n'), /1 query of the test qrels has no text; it scores 0/);
});

test('without qrels the collection is searched, nothing is measured, and both are said', async () => {
  const { queryIds, measures, run, warnings } = await record({}, 'ndcg@10,mrr@10,answer@5');
  assert.deepEqual(queryIds, ['q1', 'q2']);
  assert.deepEqual(measures, {});
  assert.ok(run !== undefined && run.sizeBytes > 0);
  assert.match(warnings.join('\n'), /can be searched, and no measure of qrels can be taken/);
  assert.match(warnings.join('\n'), /ndcg@10, mrr@10 are left out: beir:strata-dataset-\w+ has no qrels/);
  assert.match(warnings.join('\n'), /answer@5 is left out: beir:strata-dataset-\w+ has no answers/);
});

test('a passage of 10 MB is indexed and found like any other', async () => {
  const text = `${'word '.repeat(2_000_000)} needle`;
  const { measures } = await record(
    {
      'corpus.jsonl': `${JSON.stringify({ _id: 'long', text })}\n${files['corpus.jsonl']}`,
      'queries.jsonl': '{"_id":"q1","text":"needle"}\n',
      'qrels/test.tsv': 'q1\tlong\t1\n',
    },
    'mrr@10',
  );
  assert.equal(measures['mrr@10']!.mean, 1);
});

test("a passage with the query's own id is no hit where BEIR's rule holds, and a hit where ids are equal by chance", async () => {
  const passages = [
    ['7', 'bread wine'],
    ['8', 'bread'],
  ];
  const lines = (rows: readonly string[][]) => rows.map((row) => `${row.join('\t')}\n`).join('');
  const asJson = ([_id, text]: readonly string[]) => `${JSON.stringify({ _id, text })}\n`;
  const beir = {
    'corpus.jsonl': passages.map(asJson).join(''),
    'queries.jsonl': asJson(['7', 'bread wine']),
    'qrels/test.tsv': '7\t8\t1\n',
  };
  const first = async (...asked: Parameters<typeof record>) =>
    (await record(...asked)).measures['mrr@10']!.perQuery;
  assert.deepEqual(await first(beir, 'mrr@10'), [1]);
  const dev = { ...beir, 'qrels/dev.tsv': beir['qrels/test.tsv'] };
  assert.deepEqual(await first(dev, 'mrr@10', 'beir/msmarco'), [1]);
  assert.deepEqual(await first(beir, 'mrr@10', 'beir', '--set', 'measure.identicalIds=kept'), [1 / 2]);
  const msMarco = {
    'collection.tsv': lines(passages),
    'queries.dev.small.tsv': lines([['7', 'bread wine']]),
    'qrels.dev.small.tsv': lines([['7', '0', '8', '1']]),
  };
  assert.deepEqual(await first(msMarco, 'mrr@10', 'ms-marco'), [1 / 2]);
});

test('the passage that is the query is dropped before the cut: the 100th of the others is among 100 hits', async () => {
  const data = inFixtures('cases/arguana-100');
  const names = ['corpus.jsonl', 'queries.jsonl', 'qrels/test.tsv'];
  const entries = names.map((name) => [name, readFileSync(path.join(data, name), 'utf8')] as const);
  const measured = (measures = 'recall@100,success@100,mrr', ...options: string[]) =>
    record(Object.fromEntries(entries), measures, 'beir/arguana', ...options);
  const asked = await measured();
  assert.equal(asked.run!.depth, 100);
  assert.deepEqual(asked.measures['recall@100']!.perQuery, [1]);
  assert.deepEqual(asked.measures['success@100']!.perQuery, [1]);
  assert.deepEqual(asked.measures.mrr!.perQuery, [1 / 100]);
  // The file has the hits that were measured: 100 of them, the query's own passage not among them.
  const { run } = await readRun(path.join(work, 'out', asked.run!.name));
  const { passageIds } = run.get('w000')!;
  assert.deepEqual([passageIds.length, passageIds[99], passageIds.includes('w000')], [100, 'w100', false]);
  const short = await measured('mrr', '--set', 'search.depth=99');
  assert.deepEqual(short.measures.mrr!.perQuery, [0]);
  const kept = await measured('recall@100', '--set', 'measure.identicalIds=kept');
  assert.deepEqual(kept.measures['recall@100']!.perQuery, [0]);
});

test('hits of equal score: by id, the larger first, where BEIR evaluates; in the order of the search elsewhere', async () => {
  const beir = {
    'corpus.jsonl': ['a', 'c', 'b'].map((id) => `{"_id":"${id}","text":"bread"}\n`).join(''),
    'queries.jsonl': '{"_id":"q","text":"bread"}\n',
    'qrels/test.tsv': 'q\tb\t1\n',
  };
  const ours = await record(beir, 'mrr@10');
  assert.equal(ours.dataset.tieRule, 'trec_eval');
  assert.deepEqual(ours.measures['mrr@10']!.perQuery, [1 / 2]);
  const msMarco = {
    'collection.tsv': '1\tbread\n3\tbread\n2\tbread\n',
    'queries.dev.small.tsv': '1\tbread\n',
    'qrels.dev.small.tsv': '1\t0\t2\t1\n',
  };
  const searched = await record(msMarco, 'mrr@10', 'ms-marco');
  assert.equal(searched.dataset.tieRule, undefined);
  assert.deepEqual(searched.measures['mrr@10']!.perQuery, [1 / 3]);
});

test('an answer without a word counts as found, as in DPR, and is reported', async () => {
  const dpr = {
    'psgs_w100.tsv': 'id\ttext\ttitle\n1\tbread and salt\tA\n2\twine\tB\n',
    'nq-test.qa.csv': "bread\t['salt']\nwine\t['']\n",
  };
  const { measures, warnings } = await record(dpr, 'answer@5', 'dpr/nq');
  assert.deepEqual(measures['answer@5']!.perQuery, [1, 1]);
  assert.match(warnings.join('\n'), /1 of 2 queries have an answer that is empty or without a word/);
});
