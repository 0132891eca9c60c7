/** What is mined where queries have qrels and no answers. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { TrainedCheckpoint } from '../harness/pipeline/one-stage.js';
import { bench, json, set } from './stage-commands.js';

let root: string;
const at = (...names: string[]) => path.join(root, ...names);
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-mined-pairs-'));
});
after(() => rm(root, { recursive: true, force: true }));

test('without answers what is judged is positive, found or not, each an example, with what was mined', async () => {
  const folder = at('judged');
  await mkdir(path.join(folder, 'qrels'), { recursive: true });
  const line = (id: string, text: string) => `${JSON.stringify({ _id: id, title: '', text })}\n`;
  const corpus = Array.from({ length: 12 }, (_, i) =>
    line(`d${i}`, `w${i} w${(5 * i) % 12} w${(7 * i) % 12}`),
  );
  await writeFile(path.join(folder, 'corpus.jsonl'), corpus.join(''));
  const asked = [line('q1', 'w1 w5'), line('q2', 'w3'), line('q3', 'w7 w2')];
  await writeFile(path.join(folder, 'queries.jsonl'), asked.join(''));
  const qrels = ['q1\td1\t1', 'q1\td5\t2', 'q2\td3\t1', 'q2\td4\t0'];
  for (const [split, rows] of [
    ['train', qrels],
    ['test', ['q3\td7\t1']],
  ] as const)
    await writeFile(
      path.join(folder, 'qrels', `${split}.tsv`),
      ['query-id\tcorpus-id\tscore', ...rows, ''].join('\n'),
    );
  const given = ['--dataset', 'beir', '--data', folder, '--cache', at('cache'), ...set];
  const once = ['--set', 'train.epochs=0'];
  const { checkpoint } = await json<TrainedCheckpoint>('train', '--arch', 'dual-encoder', ...given, ...once);
  const file = at('judged.tsv');
  await bench('mine', '--checkpoint', checkpoint, ...given, '--depth', '4', '--out', file);
  const rows = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((row) => row.split('\t'));
  assert.deepEqual(
    rows.map(([queryId, , positives]) => [queryId, positives]),
    [
      ['q1', 'd1,d5'],
      ['q2', 'd3'],
    ],
  );
  for (const [, negatives, positives] of rows) {
    const listed = negatives!.split(',');
    assert.ok(listed.length >= 2 && listed.length <= 4);
    assert.ok(positives!.split(',').every((id) => !listed.includes(id)));
  }
  // Four hits of twelve: that the positives are among them is not asked.
  const trained = await json<TrainedCheckpoint>(
    'train',
    ...['--arch', 'dual-encoder', ...given, '--negatives', file, '--set', 'train.epochs=1'],
  );
  const { examples } = trained.training as { examples: { train: Record<string, number> } };
  const { examples: count, queries, added } = examples.train;
  assert.deepEqual([count, queries, added], [3, 2, 3]);
});
