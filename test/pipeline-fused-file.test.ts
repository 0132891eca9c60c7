/** The file of a fused run, as tools read it that know scores and no ranks. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import { qrelsById } from '../harness/dataset/qrels.js';
import { readRun } from '../harness/interchange/trec.js';
import { evaluate } from '../harness/metrics/evaluate.js';
import { openDatasetHere } from '../harness/pipeline/open-dataset.js';
import { searchSystem } from '../harness/pipeline/system-stages.js';
import { parseMeasures } from '../harness/plugins/measures.js';
import { silentProgress } from '../harness/progress.js';
import { run } from '../harness/sweep.js';
import { passingFolder } from './places.js';

const root = passingFolder('fused-file');
const measures = ['mrr@10', 'ndcg@10', 'map'];
const [cache, out] = ['cache', 'out'].map((name) => path.join(root, name)) as [string, string];
const config = loadConfig({
  cwd: root,
  set: [
    ...[`cache=${cache}`, `out=${out}`, 'engine=onnx', 'searcher=exact', 'latency.queries=0'],
    ...[
      'answering.measure=false',
      'train.epochs=0',
      'search.depth=20',
      `measures=${JSON.stringify(measures)}`,
    ],
    ...['model.scratch.layers=2', 'model.scratch.dimensions=8', 'model.scratch.heads=1'],
    ...['model.scratch.intermediate=8', 'model.scratch.vocabularySize=300'],
  ],
});
const asked = { dataset: 'sample', offline: true, config };
const system = 'fuse:bm25+dual-encoder';

test('where the order of the search is measured, the order by scores alone has the measures of the record', async () => {
  const record = await run({ ...asked, architecture: system, seed: config.seeds[0]! }, silentProgress());
  const dataset = await openDatasetHere('sample', cache);
  const queries = (await dataset.queries('test')).map(({ queryId }) => queryId);
  const qrels = qrelsById(await dataset.qrels('test'));
  const file = path.join(root, 'searched.run.gz');
  await searchSystem({ ...asked, system, split: 'test', run: file }, silentProgress());
  for (const written of [path.join(out, record.run!.name), file]) {
    const { run: hits } = await readRun(written);
    const { measures: found } = evaluate(hits, qrels, parseMeasures(measures), {
      ties: 'trec_eval',
      queries,
    });
    for (const id of measures)
      assert.deepEqual(
        Array.from(found.get(id)!.perQuery),
        record.measures[id]!.perQuery,
        `${written}: ${id}`,
      );
  }
});
