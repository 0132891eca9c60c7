/**
 * `npm run perf -- loaders [SHARE]`: DPR's files at scale, made here: 2 million passages as psgs_w100.tsv.gz and 1 GB of
 * training JSON (or a share of that), each streamed through its loader. Rates, resident memory, and how long the real files
 * would take at these rates.
 */
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import dpr from '../../datasets/dpr.js';
import type { Dataset } from '../contracts.js';
import { inFolder } from './made-folder.js';
import { MadeText, peakMiB } from './made-text.js';

const passages = 2_000_000;
const trainingBytes = 1e9;
/** Of the files that DPR publishes. */
const real = { passages: 21_015_324, trainingQuestions: 79_168 };
/** Passages beside a question, about as many as for Natural Questions. */
const hardNegatives = 92;

function* passageLines(count: number, made: MadeText): Generator<string> {
  yield 'id\ttext\ttitle\n';
  for (let i = 1; i <= count; i++) {
    const quoted = i % 4 === 0 ? ` ""${made.word()}""` : '';
    yield `${i}\t"${made.text(90)}${quoted}"\t${made.text(2)}\n`;
  }
}

function* trainingElements(bytes: number, count: number, made: MadeText): Generator<string> {
  const context = (id: number) => ({
    title: made.text(2),
    text: made.text(90),
    score: 1,
    title_score: 0,
    passage_id: String(id),
  });
  let written = 0;
  let id = 0;
  yield '[\n';
  for (let i = 0; written < bytes; i++) {
    const next = () => context((id++ % count) + 1);
    const element = {
      dataset: 'made',
      question: made.text(8),
      answers: [made.word()],
      positive_ctxs: [next()],
      negative_ctxs: [],
      hard_negative_ctxs: Array.from({ length: hardNegatives }, next),
    };
    const text = `${i === 0 ? '' : ',\n'}${JSON.stringify(element, null, 4)}`;
    written += text.length;
    yield text;
  }
  yield '\n]\n';
}

async function write(file: string, pieces: Iterable<string>, packed: boolean): Promise<number> {
  const source = Readable.from(pieces);
  if (packed) await pipeline(source, createGzip({ level: 1 }), createWriteStream(file));
  else await pipeline(source, createWriteStream(file));
  return (await stat(file)).size;
}

const seconds = (from: number) => (performance.now() - from) / 1000;
const minutes = (duration: number) => `${(duration / 60).toFixed(1)} minutes`;

export default async function perfLoaders([share = '1']: readonly string[]): Promise<void> {
  const scale = Number(share);
  if (!(scale > 0)) throw new RangeError(`a share above 0 is needed, not ${share}`);
  const count = Math.round(passages * scale);
  await inFolder('loaders', async (folder) => {
    const made = new MadeText(200_000, 1);
    const packedBytes = await write(path.join(folder, 'psgs_w100.tsv.gz'), passageLines(count, made), true);
    const jsonBytes = await write(
      path.join(folder, 'biencoder-nq-train.json'),
      trainingElements(trainingBytes * scale, count, made),
      false,
    );
    await write(path.join(folder, 'nq-test.qa.csv'), ["who\t['a']\n"], false);
    console.log(
      `made: ${count} passages (${(packedBytes / 1e6).toFixed(0)} MB packed), ${(jsonBytes / 1e6).toFixed(0)} MB of JSON`,
    );
    console.log(`resident at the highest after making them: ${peakMiB().toFixed(0)} MiB`);
    await measure(folder, count, jsonBytes);
  });
}

async function measure(folder: string, count: number, jsonBytes: number): Promise<void> {
  let from = performance.now();
  // What one opening finds out about the files the next one knows, as in a run: each file is read once per question.
  const known = new Map<string, Promise<unknown>>();
  const remember = <T>(what: string, files: readonly string[], find: () => Promise<T>): Promise<T> => {
    const key = [what, ...files].join(' ');
    if (!known.has(key)) known.set(key, find());
    return known.get(key) as Promise<T>;
  };
  const fetch = () => Promise.reject(new Error('nothing is fetched here'));
  const open = () => dpr.open({ variant: 'nq', folder, fetch, remember });
  await open();
  const opening = seconds(from);
  console.log(
    `opened for the first time (hashed, passages counted, training file read): ${opening.toFixed(1)} s`,
  );
  const dataset: Dataset = await open();

  from = performance.now();
  let read = 0;
  let characters = 0;
  for await (const { text } of dataset.passages()) {
    read++;
    characters += text.length;
  }
  const streaming = seconds(from);
  if (read !== count) throw new Error(`${read} passages came, and ${count} were written`);
  const rate = read / streaming;
  console.log(
    `passages: ${streaming.toFixed(1)} s, ${Math.round(rate)}/s, ${(characters / streaming / 1e6).toFixed(0)} million characters/s`,
  );
  console.log(`  psgs_w100.tsv.gz, ${real.passages} passages: ${minutes(real.passages / rate)}`);

  from = performance.now();
  const questions = (await dataset.queries('train')).length;
  const parsing = seconds(from);
  console.log(
    `training file: ${questions} questions in ${parsing.toFixed(1)} s, ${(jsonBytes / parsing / 1e6).toFixed(0)} MB/s`,
  );
  console.log(
    `  biencoder-nq-train.json, ${real.trainingQuestions} questions: ${minutes((real.trainingQuestions * parsing) / questions)}`,
  );
  console.log(`resident at the highest: ${peakMiB().toFixed(0)} MiB`);
}
