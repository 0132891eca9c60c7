/** TREC Deep Learning 2019: a run made by shuffling the qrels, measured as trec_eval defines it, computed here anew. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/evaluate.js';
import { stream } from '../harness/random.js';
import type { RunRecord } from '../harness/record.js';
import { sharedData as data } from './places.js';

const qrels = path.join(data, 'dl19/qrels.dl19-passage.txt');

const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;

/** Relevance by rank, and the same of an ideal ranking. */
type Ranked = { graded: number[]; ideal: number[] };

const gain = (grades: readonly number[]) =>
  grades.slice(0, 10).reduce((sum, grade, i) => sum + grade / Math.log2(i + 2), 0);
/** Binary measures: grade 2 and up, as the track's guidelines say. */
const relevant = (grades: readonly number[], k = grades.length) =>
  grades.slice(0, k).filter((grade) => grade >= 2).length;

const definitions: Readonly<Record<string, (ranked: Ranked) => number>> = {
  'ndcg@10': ({ graded, ideal }) => (gain(ideal) === 0 ? 0 : gain(graded) / gain(ideal)),
  mrr: ({ graded }) => {
    const first = graded.findIndex((grade) => grade >= 2);
    return first < 0 ? 0 : 1 / (first + 1);
  },
  'recall@100': ({ graded }) => (relevant(graded) === 0 ? 0 : relevant(graded, 100) / relevant(graded)),
  'p@10': ({ graded }) => relevant(graded, 10) / 10,
  map: ({ graded }) => {
    const precisions = graded.map((grade, i) => (grade >= 2 ? relevant(graded, i + 1) / (i + 1) : 0));
    return relevant(graded) === 0 ? 0 : precisions.reduce((sum, each) => sum + each) / relevant(graded);
  },
};

test('graded nDCG, binary measures from grade 2 on, and the record says so', {
  skip: existsSync(qrels) ? false : `no ${qrels}`,
}, async () => {
  const byQuery = new Map<string, { passageId: string; grade: number }[]>();
  for (const line of readFileSync(qrels, 'utf8').trim().split('\n')) {
    const [queryId = '', , passageId = '', grade] = line.split(/\s+/);
    byQuery.set(queryId, [...(byQuery.get(queryId) ?? []), { passageId, grade: Number(grade) }]);
  }
  assert.equal(byQuery.size, 43);
  const lines: string[] = [];
  const ranked: Ranked[] = [];
  for (const [queryId, judged] of byQuery) {
    const order = stream(19, 'shuffle', queryId).shuffle([...judged]);
    for (const [i, { passageId }] of order.entries())
      lines.push(`${queryId} Q0 ${passageId} ${i + 1} ${order.length - i} shuffled\n`);
    const graded = order.map(({ grade }) => grade);
    ranked.push({ graded, ideal: [...graded].sort((a, b) => b - a) });
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-dl19-'));
  try {
    const run = path.join(folder, 'shuffled.run');
    await writeFile(run, lines.join(''));
    let printed = '';
    const measures = Object.keys(definitions).join(',');
    const argv = ['--run', run, '--qrels', qrels, '--relevance', '2', '--measure', measures, '--json'];
    await execute('evaluate', command, argv, (text) => {
      printed += text;
    });
    const record = JSON.parse(printed) as RunRecord;
    for (const [id, definition] of Object.entries(definitions)) {
      const expected = mean(ranked.map(definition));
      assert.ok(
        Math.abs(record.measures[id]!.mean - expected) < 1e-9,
        `${id}: ${record.measures[id]!.mean}, ${expected}`,
      );
      assert.ok(expected > 0 && expected < 1);
    }
    assert.equal((record.config as { relevance: number }).relevance, 2);
    assert.match(record.warnings.join('\n'), /relevance of 2 or more/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
