/** What becomes of a model's hits when negatives are mined from them. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import type { Dataset, Passage } from '../harness/contracts.js';
import { readNegatives } from '../harness/interchange/negatives.js';
import { HitParts } from '../harness/pipeline/hit-files.js';
import { mineStage } from '../harness/pipeline/mine-stage.js';
import { negativesFile } from '../harness/pipeline/negatives-file.js';
import { Store } from '../harness/store/store.js';
import { temporaryFolder } from './made-index.js';

const texts = ['red fish', 'red  fish\n', 'Red fish', 'old fish', 'bird'];
const passages = texts.map((text, i): Passage => ({ passageId: `p${i}`, title: `title ${i}`, text }));
const dataset: Dataset = {
  name: 'beir:made',
  version: '1',
  licence: '',
  files: [],
  passageCount: passages.length,
  answerMatching: 'string',
  async *passages() {
    yield* passages;
  },
  queries: async () => [{ queryId: 'q', text: 'fish', answers: ['old'] }],
  qrels: async () => [{ queryId: 'q', passageId: 'p0', relevance: 1 }],
};

test('relevant, a copy of what is, holding an answer: no negatives, and each is counted', async (t) => {
  const folder = await temporaryFolder(t);
  const conditions = { cpu: 'this one', threads: 1 };
  const parts = await HitParts.open(folder, { key: 'run', batchSize: 1, partQueries: 1, conditions });
  const depth = passages.length;
  await parts.add(
    [
      {
        depth,
        ordinals: Int32Array.from([1, 0, 3, 2, 4]),
        scores: Float32Array.from([5, 4, 3, 2, 1]),
        winners: new Int32Array(depth),
        counts: Int32Array.of(depth),
      },
    ],
    0,
  );
  await parts.join();
  const execution = { buildSeconds: 0, searchSeconds: 0 };
  const run = {
    folder,
    key: 'run',
    cached: false,
    facts: { queries: 1, depth, searcher: 'exact', execution },
  };
  const store = new Store(path.join(folder, 'cache'));
  const prepared = { config: defaultConfig(), offline: true, store, dataset };
  const index = { identifiers: async () => ({ at: (ordinal: number) => `p${ordinal}` }) };
  const mined = await mineStage(prepared, index, run, { split: 'train', negatives: null });
  const { negatives } = await readNegatives(negativesFile(mined.folder));
  assert.deepEqual([...negatives], [['q', ['p2', 'p4']]]);
  const counts = {
    ...{ relevant: 1, copies: 1, answering: 1, identical: 0 },
    ...{ negatives: 2, positives: 1, queries: 1, without: 0 },
  };
  assert.deepEqual({ ...mined.facts }, counts);
});
