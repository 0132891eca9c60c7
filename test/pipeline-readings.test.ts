/**
 * How often a run reads its collection: once for each stage that is made of all its texts, and not at all where nothing is made; to
 * measure, once at most.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { evaluateRun } from '../harness/pipeline/evaluate-run.js';
import { silentProgress } from '../harness/progress.js';
import { run } from '../harness/sweep.js';
import { writeMadeDpr } from './made-dpr.js';
import { temporaryFolder } from './made-index.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const { createReadStream } = fs;
let readings = 0;
fs.createReadStream = ((file: string, options: object) => {
  if (file.endsWith('corpus.jsonl') || file.endsWith('psgs_w100.tsv')) readings++;
  return createReadStream(file, options);
}) as typeof createReadStream;
syncBuiltinESMExports();

test('a collection is read once for each stage that all its texts go into', async (t) => {
  const root = await temporaryFolder(t);
  await writeTinyCollection(path.join(root, 'data'));
  const readBy = async (architecture: string) => {
    readings = 0;
    await run(tinyRequest(root, architecture, 1, 'train.epochs=1'), silentProgress());
    return readings;
  };
  // It is looked through, once for all runs, and indexed.
  assert.equal(await readBy('bm25'), 2);
  // A vocabulary, BM25's negatives, the passages that are trained on, the vectors.
  assert.equal(await readBy('mlr-sc'), 4);
  // Vocabulary and negatives are there; of a run that is whole, of lists that are joined or put in another order, nothing is read.
  assert.equal(await readBy('me-bert'), 2);
  for (const made of ['mlr-sc', 'fuse:bm25+mlr-sc', 'rerank:bm25>mlr-sc'])
    assert.equal(await readBy(made), 0, made);
});

test('answers are looked for in one reading where ids are known alone, and where places are, in none', async (t) => {
  const root = await temporaryFolder(t);
  const { passages, test: questions } = await writeMadeDpr(root);
  const request = { ...tinyRequest(root, 'bm25', 1, 'measures=["answer@5"]'), dataset: 'dpr/nq', data: root };
  const readBy = async <T>(use: () => Promise<T>) => {
    readings = 0;
    const made = await use();
    return { readings, made };
  };
  const runs = async (...set: string[]) => {
    const { config } = tinyRequest(root, 'bm25', 1, 'measures=["answer@5"]', ...set);
    const { readings, made } = await readBy(() => run({ ...request, config }, silentProgress()));
    return { readings, ...made };
  };
  // It is looked through, indexed, and the places of its passages are found, once for all runs; another search needs none of it.
  const first = await runs();
  assert.equal(first.readings, 3);
  assert.equal((await runs('bm25.k1=0.5')).readings, 0);
  // Each question has words of its passage, which holds the answer.
  const file = path.join(root, 'other.run');
  const lines = (strangers: string[]) =>
    questions.flatMap(({ answers }, q) => {
      const at = passages.findIndex(({ text }) => text.split(' ').includes(answers[0]!));
      const own = [`test-${q} Q0 ${at + 1} 1 2 other\n`];
      return [...own, ...strangers.map((id, i) => `test-${q} Q0 ${id} ${i + 2} 1 other\n`)];
    });
  const evaluated = async (strangers: string[]) => {
    await writeFile(file, lines(strangers).join(''));
    const { readings, made } = await readBy(() =>
      evaluateRun({ ...request, run: file, split: 'test' }, silentProgress()),
    );
    const { record } = made;
    const unknown = record.warnings.filter((warning) => warning.includes('of the run'));
    return { readings, unknown, measures: record.measures['answer@5']!.mean };
  };
  assert.deepEqual(await evaluated(['none', 'neither']), {
    readings: 1,
    unknown: ['2 passages of the run are not in dpr/nq; they hold no answer'],
    measures: 1,
  });
  assert.deepEqual(await evaluated([]), { readings: 1, unknown: [], measures: 1 });
});
