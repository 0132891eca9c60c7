/** A collection small enough that a whole run takes a second, in BEIR's format; nothing is to be learnt from it. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '../harness/config/config.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { stream } from '../harness/random.js';

const letters = 'bcdfgklmnprst';
const vowels = 'aeiou';

export async function writeTinyCollection(folder: string): Promise<void> {
  const random = stream(1, 'tiny collection');
  const word = () =>
    Array.from(
      { length: 3 },
      () => letters[random.integer(letters.length)]! + vowels[random.integer(5)]!,
    ).join('');
  const words = Array.from({ length: 150 }, word);
  const text = (length: number) =>
    Array.from({ length }, () => words[random.integer(words.length)]!).join(' ');
  const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const corpus = Array.from({ length: 30 }, (_, i) => ({ _id: `p${i}`, title: text(2), text: text(8) }));
  const queries = Array.from({ length: 12 }, (_, i) => ({
    _id: `q${i}`,
    text: corpus[i]!.text.slice(0, 20),
  }));
  const qrels = (from: number, to: number) =>
    `query-id\tcorpus-id\tscore\n${queries
      .slice(from, to)
      .map((_, i) => `q${from + i}\tp${from + i}\t1\n`)
      .join('')}`;
  await mkdir(path.join(folder, 'qrels'), { recursive: true });
  await writeFile(path.join(folder, 'corpus.jsonl'), lines(corpus));
  await writeFile(path.join(folder, 'queries.jsonl'), lines(queries));
  await writeFile(path.join(folder, 'qrels', 'test.tsv'), qrels(0, 8));
  await writeFile(path.join(folder, 'qrels', 'train.tsv'), qrels(8, 12));
}

/** Requests on it, of a model as small as can be. @param root holds `data`, gets `cache` and `out` */
export function tinyRequest(root: string, architecture: string, seed: number, ...set: string[]): RunRequest {
  const config = loadConfig({
    cwd: root,
    set: [
      ...[
        `cache=${path.join(root, 'cache')}`,
        `out=${path.join(root, 'out')}`,
        'engine=onnx',
        'searcher=exact',
      ],
      ...['model.scratch.layers=2', 'model.scratch.dimensions=8', 'model.scratch.heads=1'],
      ...['model.scratch.intermediate=8', 'model.scratch.vocabularySize=300', 'text.passageTokens=16'],
      ...[
        'train.epochs=0',
        'latency.queries=4',
        'latency.warmup=1',
        'latency.batchSizes=[2]',
        'answering.measure=false',
        'search.depth=10',
      ],
      ...['measures=mrr@10'],
      ...set,
    ],
  });
  return { architecture, dataset: 'beir', data: path.join(root, 'data'), seed, offline: true, config };
}
