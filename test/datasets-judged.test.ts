/** Which queries and qrels a split holds: queries judged 0 alone, passages that are absent, how many dev queries there are. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import beir from '../datasets/beir.js';
import msMarco from '../datasets/ms-marco.js';
import type { Split } from '../harness/contracts.js';
import { inFolder, openFolder } from './datasets-folder.js';

const whole = {
  'corpus.jsonl': '{"_id":"d1","text":"one"}\n{"_id":"d2","text":"two"}\n',
  'queries.jsonl': '{"_id":"q1","text":"first"}\n{"_id":"q2","text":"second"}\n',
  'qrels/test.tsv': 'query-id\tcorpus-id\tscore\nq1\td1\t1\n',
};

test('queries judged 0 alone: they score in test, and nothing of them is left in train and dev', async () => {
  // q1 has a positive beside its 0, q2 is judged 0 and -1 alone.
  const qrels = 'query-id\tcorpus-id\tscore\nq2\td1\t0\nq2\td2\t-1\nq1\td1\t0\nq1\td2\t1\n';
  const files = { 'qrels/test.tsv': qrels, 'qrels/train.tsv': qrels, 'qrels/dev.tsv': qrels };
  await inFolder({ ...whole, ...files }, async (folder) => {
    const dataset = await openFolder(beir, folder);
    const held = async (split: Split) => ({
      queries: (await dataset.queries(split)).map(({ queryId }) => queryId),
      qrels: (await dataset.qrels(split)).map(({ queryId, passageId, relevance }) => [
        ...[queryId, passageId, relevance],
      ]),
    });
    const first = [
      ['q1', 'd1', 0],
      ['q1', 'd2', 1],
    ];
    assert.deepEqual(await held('test'), {
      queries: ['q1', 'q2'],
      qrels: [['q2', 'd1', 0], ['q2', 'd2', -1], ...first],
    });
    assert.deepEqual(await held('train'), { queries: ['q1'], qrels: first });
    assert.deepEqual(await held('dev'), { queries: ['q1'], qrels: first });
    assert.deepEqual(dataset.remarks, ['1 test query has no relevant passage in the qrels and scores 0.']);
  });
});

test('where the qrels of the test queries are missing, the file is named', async () => {
  const { 'qrels/test.tsv': qrels, ...others } = whole;
  await inFolder({ ...others, 'qrels/test.csv': qrels }, async (folder) => {
    const { remarks } = await openFolder(beir, folder);
    assert.match(remarks!.join(), /^There are no qrels for the test queries \(no qrels\/test\.tsv\): /);
  });
});

test('dev qrels of absent passages are left out, and a query that has no other with them', async () => {
  const dev = 'query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\tgone\t1\nq2\tgone\t1\nq9\td1\t1\n';
  await inFolder({ ...whole, 'qrels/dev.tsv': dev }, async (folder) => {
    const dataset = await openFolder(beir, folder);
    assert.deepEqual(await dataset.queries('dev'), [{ queryId: 'q1', text: 'first' }]);
    assert.deepEqual(await dataset.qrels('dev'), [{ queryId: 'q1', passageId: 'd1', relevance: 1 }]);
    assert.deepEqual(dataset.remarks, [
      '2 dev qrels name passages that the collection does not have; they are left out.',
      '1 query of the dev qrels has no text; it is left out.',
    ]);
  });
});

test('dev: 1,000 of the queries that are not in dev.small, the same in whatever order they come', async () => {
  // 1,200 dev queries, 150 of them in dev.small, all judged.
  const ids = Array.from({ length: 1200 }, (_, i) => String(5000 + i));
  const small = ids.slice(0, 150);
  const lines = (list: readonly string[], line: (id: string) => string) => list.map(line).join('');
  const files = {
    'collection.tsv': '0\ta\n',
    'queries.dev.small.tsv': lines(small, (id) => `${id}\tq\n`),
    'qrels.dev.small.tsv': lines(small, (id) => `${id}\t0\t0\t1\n`),
    'qrels.dev.tsv': lines(ids, (id) => `${id}\t0\t0\t1\n`),
    'queries.train.tsv': '1\tq\n',
    'qrels.train.tsv': '1\t0\t0\t1\n',
    'qidpidtriples.train.full.2.tsv': '1\t0\t0\n',
  };
  const devOf = (list: readonly string[]) =>
    inFolder({ ...files, 'queries.dev.tsv': lines(list, (id) => `${id}\tq\n`) }, async (folder) => {
      const dataset = await openFolder(msMarco, folder);
      assert.equal((await dataset.qrels('dev')).length, 1000);
      return (await dataset.queries('dev')).map(({ queryId }) => queryId);
    });
  const dev = await devOf(ids);
  assert.equal(new Set(dev).size, 1000);
  assert.ok(!dev.some((id) => small.includes(id)));
  assert.deepEqual((await devOf(ids.toReversed())).sort(), dev.sort());
  // Those whose hashes with the seed are smallest.
  const hash = (id: string) => createHash('sha256').update(`12345/${id}`).digest('hex');
  const others = ids.filter((id) => !small.includes(id)).sort((a, b) => (hash(a) < hash(b) ? -1 : 1));
  assert.deepEqual(dev, others.slice(0, 1000).sort());
});
