/** Runs, qrels and the other files that systems exchange. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Qrels } from '../../../harness/contracts.js';
import { BenchError } from '../../../harness/errors.js';
import { readBeirResults } from '../../../harness/interchange/beir-results.js';
import { readDprResults, readDprRun } from '../../../harness/interchange/dpr-results.js';
import { dprExamplePassages, readDprExamples } from '../../../harness/interchange/dpr-training.js';
import { namesPositives, readNegatives } from '../../../harness/interchange/negatives.js';
import { readPrices } from '../../../harness/interchange/prices.js';
import { PythonListError, parsePythonStrings } from '../../../harness/interchange/python-list.js';
import { hashOfQrels, readQrels } from '../../../harness/interchange/qrels.js';
import { quotedRows } from '../../../harness/interchange/quoted-columns.js';
import {
  looksLikeRun,
  type RunFormat,
  readRunFile,
  runFormats,
  writeRunFile,
} from '../../../harness/interchange/run-file.js';
import { readSlices } from '../../../harness/interchange/slices.js';
import { readTeacherScores } from '../../../harness/interchange/teacher-scores.js';
import { readRun } from '../../../harness/interchange/trec.js';
import { type Loader, UnfitResult } from '../loader.js';
import { checkNumbers, checkRun } from '../results-checked.js';
import { each, fixtureFile } from '../valid-files.js';

const trec =
  '1 Q0 d1 1 9.5 bm25\n1 Q0 d2 2 9.25 bm25\n2 Q0 d1 1 3 bm25\n2 Q0 d7 2 -1e-3 bm25\n10 Q0 é 1 0 bm25\n';
const tevatron = '1\td1\t9.5\n1\td2\t9.25\n2\td1\t3\n';
const ranks = '1\td1\t1\n1\td2\t2\n2\td3\t1\n2\td1\t2\n';
const beir = '{"q1": {"d1": 0.5, "d2": 0.25}, "q2": {"d3": 1.5, "d1": -2}}';
const dpr = JSON.stringify([
  {
    question: 'who is the brother of moses',
    answers: ['Aaron'],
    ctxs: [
      { id: '1', title: 'Aaron', text: 'a "prophet"', score: '80.5', has_answer: true },
      { id: 'wiki:2', title: 'Al', text: 'born', score: 79, has_answer: false },
    ],
  },
  {
    question: 'second',
    answers: [],
    ctxs: [{ id: 7, title: null, text: null, score: '1', has_answer: false }],
  },
]);
const qrels = '1 0 d1 1\n1 0 d2 0\n2 0 d3 2\n3 0 d9 -1\n';
const beirQrels = 'query-id\tcorpus-id\tscore\n1\td1\t1\n1\td2\t0\n2\td3\t2\n';

const first = (folder: string): string => path.join(folder, 'input');

function checkQrels(judged: Qrels): void {
  for (const judgements of judged.values()) checkNumbers([...judgements.values()]);
  hashOfQrels(judged);
}

const loaders: readonly Loader[] = [
  {
    name: 'trec-run',
    inputs: () => each('input', trec, tevatron, ranks),
    codes: ['RECORD_INVALID'],
    async load(folder) {
      checkRun((await readRun(first(folder))).run);
      checkRun((await readRun(first(folder), 'score')).run);
    },
  },
  {
    name: 'run-file',
    inputs: () => each('input', trec, tevatron, ranks, beir, dpr),
    codes: ['RECORD_INVALID'],
    async load(folder) {
      await looksLikeRun(first(folder));
      checkRun((await readRunFile(first(folder))).run);
    },
  },
  {
    // What was read in one format is written in each, and reads as the same hits.
    name: 'run-converted',
    writes: true,
    inputs: () => each('input', trec, tevatron, beir),
    codes: ['RECORD_INVALID', 'DATA_INVALID'],
    async load(folder) {
      const { run } = await readRunFile(first(folder));
      for (const format of Object.keys(runFormats) as RunFormat[]) {
        if (format === 'dpr') continue;
        const written = path.join(folder, format);
        await writeRunFile(written, format, { run, tag: 'x' });
        const again = (await readRunFile(written, { format })).run;
        checkRun(again);
        for (const [queryId, { passageIds }] of run)
          if (passageIds.length > 0 && again.get(queryId)?.passageIds.length !== passageIds.length)
            throw new UnfitResult(`${queryId} has other hits once it is written as ${format}`);
      }
    },
  },
  {
    name: 'qrels',
    inputs: () => each('input', qrels, beirQrels),
    codes: ['DATA_INVALID'],
    load: async (folder) => checkQrels(await readQrels(first(folder))),
  },
  {
    name: 'beir-results',
    inputs: () => each('input', beir),
    codes: ['RECORD_INVALID'],
    load: async (folder) => checkRun(await readBeirResults(first(folder), true)),
  },
  {
    name: 'dpr-results',
    inputs: () => each('input', dpr),
    codes: ['RECORD_INVALID'],
    async load(folder) {
      for await (const { ctxs } of readDprResults(first(folder)))
        checkNumbers(ctxs.map(({ score }) => score));
      const queries = [
        { queryId: 'a', text: 'who is the brother of moses' },
        { queryId: 'b', text: 'second' },
      ];
      checkRun((await readDprRun(first(folder), queries)).run);
    },
  },
  {
    name: 'dpr-training',
    inputs: () =>
      each('input', Buffer.from(fixtureFile('datasets/dpr/nq/biencoder-nq-train.json')).toString()),
    codes: ['DATA_INVALID'],
    async load(folder) {
      await readDprExamples(first(folder));
      for await (const _ of dprExamplePassages(first(folder)));
    },
  },
  {
    name: 'negatives',
    inputs: () => each('input', 'q1\td1,d2,d%2C3\nq2\t\nq3\td1\n', 'q1\td1,d2\td9\nq2\td3\td8,d7\n'),
    codes: ['DATA_INVALID'],
    async load(folder) {
      await namesPositives(first(folder));
      const { negatives } = await readNegatives(first(folder));
      for (const list of negatives.values())
        if (new Set(list).size !== list.length || list.includes(''))
          throw new UnfitResult('a negative twice');
    },
  },
  {
    name: 'teacher-scores',
    inputs: () =>
      each(
        'input',
        'q1\td1\t9.5\nq1\td2\t-1e-3\nq2\td1\t3\n',
        trec,
        '11.5\t-2\tq1\td1\td2\n11.5\t0.5\tq1\td1\td3\n',
        beirQrels,
      ),
    codes: ['DATA_INVALID'],
    async load(folder) {
      const scores: number[] = [];
      const count = await readTeacherScores(first(folder), (_queryId, _passageId, score) => {
        scores.push(score);
        return undefined;
      });
      checkNumbers(scores);
      if (count !== scores.length) throw new UnfitResult(`${count} scores, and ${scores.length} were given`);
    },
  },
  {
    name: 'slices',
    inputs: () => each('input', 'q1\tlong questions\nq2\tshort\n\n', 'q1\ta\r\né\tb c\r\n'),
    codes: ['DATA_INVALID'],
    async load(folder) {
      const slices = await readSlices(first(folder));
      if (slices.size === 0 || slices.has('') || [...slices.values()].includes(''))
        throw new UnfitResult('an empty id or name');
    },
  },
  {
    name: 'prices',
    inputs: () =>
      each(
        'input',
        '{"currency": "USD", "gbMonth": 0.1, "vcpuHour": 0.04}',
        '{"currency": "€", "gbMonth": 0, "vcpuHour": 1e-3, "queriesPerMonth": 1000000}',
      ),
    codes: ['DATA_INVALID'],
    async load(folder) {
      const { currency, gbMonth, vcpuHour, queriesPerMonth = 0 } = await readPrices(first(folder));
      checkNumbers([gbMonth, vcpuHour, queriesPerMonth]);
      if (currency.trim() !== currency || currency === '') throw new UnfitResult('no currency');
    },
  },
  {
    name: 'quoted-columns',
    inputs: () =>
      each('input', 'id\ttext\ttitle\n1\t"a ""b"" c"\tt\n2\t"two\nlines"x\tt\r\n\n3\tplain\t"t"\n'),
    codes: ['DATA_INVALID'],
    async load(folder) {
      let line = 0;
      for await (const row of quotedRows(first(folder), 'DATA_INVALID')) {
        if (row.columns.length === 0 || row.line <= line) throw new UnfitResult(`a row at line ${row.line}`);
        line = row.line;
      }
    },
  },
  {
    name: 'python-list',
    inputs: () =>
      each('input', `["Wilhelm Conrad Röntgen", 'it\\'s', '\\x41\\u00e9' 'b',]`, `['\\N{DASH}', "\\101"]`),
    codes: ['DATA_INVALID'],
    async load(folder) {
      try {
        parsePythonStrings(readFileSync(first(folder), 'utf8'));
      } catch (error) {
        // Whoever reads a question file says this with its line.
        if (error instanceof PythonListError) throw new BenchError('DATA_INVALID', error.message);
        throw error;
      }
    },
  },
];

export default loaders;
