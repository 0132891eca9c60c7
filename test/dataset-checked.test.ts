/** What a dataset gives that is not what it promises: told where it is first asked for, and not measured. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset, Qrel, Query } from '../harness/contracts.js';
import { checkedDataset } from '../harness/dataset/checked.js';
import { silentProgress } from '../harness/progress.js';
import type { Workplace } from '../harness/stages/graph.js';
import { indexTerms, scoringOf } from '../harness/stages/index-terms.js';
import type { Known } from '../harness/stages/known.js';
import { temporaryFolder } from './made-index.js';

const queries: Query[] = [
  { queryId: 'q0', text: 'bread' },
  { queryId: 'q1', text: '' },
];
const qrels: Qrel[] = [{ queryId: 'q0', passageId: 'p0', relevance: -1 }];

const made = (more: Partial<Dataset> = {}): Dataset => ({
  ...{ name: 'made', version: '1', licence: 'mine', files: [], passageCount: 2 },
  async *passages() {
    for (const passageId of ['p0', 'p1']) yield { passageId, title: '', text: 'bread' };
  },
  queries: async () => queries,
  qrels: async () => qrels,
  ...more,
});

test('what is as it should be is given as it is', async () => {
  const dataset = checkedDataset(made());
  assert.equal(await dataset.queries('test'), queries);
  assert.equal(await dataset.qrels('test'), qrels);
});

test('a dataset may be frozen, or of a class that keeps its state to itself', async () => {
  class Kept {
    readonly #queries = queries;
    readonly name = 'kept';
    get passageCount() {
      return this.#queries.length;
    }
    queries = async () => this.#queries;
    async qrels() {
      return this.#queries.map(({ queryId }) => ({ queryId, passageId: 'p0', relevance: 1 }));
    }
  }
  for (const dataset of [Object.freeze(made()), new Kept() as unknown as Dataset]) {
    const checked = checkedDataset(dataset);
    checked.name = 'another';
    assert.equal(checked.passageCount, 2);
    assert.equal(await checked.queries('test'), queries);
    assert.deepEqual((await checked.qrels('test'))[0]?.passageId, 'p0');
    assert.notEqual(dataset.name, 'another');
  }
});

test('a query that comes twice or has no text, and a grade that is no whole number, are refused by name', async () => {
  const twice = [...queries, { queryId: 'q0', text: 'again' }];
  const bare = [{ queryId: 'q2' } as Query];
  for (const [list, message] of [
    [twice, "made has two dev queries with the id 'q0'."],
    [bare, "made: the dev query 'q2' has no text."],
  ] as const) {
    const dataset = checkedDataset(made({ queries: async () => list }));
    for (const _ of [1, 2]) await assert.rejects(dataset.queries('dev'), { code: 'DATA_INVALID', message });
  }
  for (const relevance of [0.5, Number.NaN, Infinity]) {
    const dataset = checkedDataset(made({ qrels: async () => [{ ...qrels[0]!, relevance }] }));
    await assert.rejects(dataset.qrels('test'), {
      code: 'DATA_INVALID',
      message: `made, test: the relevance of passage 'p0' to query 'q0' is ${relevance}.`,
    });
  }
});

test('BM25 indexes as many passages as the dataset says, or none', async (t) => {
  const folder = await temporaryFolder(t);
  const stage = indexTerms(scoringOf({ bm25: {} as never }), { dataset: made() } as unknown as Known);
  const at = (passageCount: number) =>
    ({ dataset: made({ passageCount }), progress: silentProgress() }) as unknown as Workplace;
  for (const passageCount of [1, 3])
    await assert.rejects(stage.make(folder, at(passageCount), 'key'), {
      code: 'DATA_INVALID',
      message: `The dataset says it has ${passageCount} passages and gives 2.`,
    });
  assert.equal((await stage.make(folder, at(2), 'key')).passages, 2);
});
