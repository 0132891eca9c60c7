/** Vectors made elsewhere: files of NumPy with their ids, and what a server answers. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { AnswerFault, readAnswer } from '../../../harness/endpoint/answer.js';
import { BenchError } from '../../../harness/errors.js';
import { GivenQueries, GivenRows } from '../../../harness/pipeline/given-rows.js';
import { describeGiven, identifiersIn } from '../../../harness/pipeline/given-vectors.js';
import { answerTo } from '../../endpoint-server.js';
import { type Loader, UnfitResult } from '../loader.js';
import { checkNumbers } from '../results-checked.js';
import { fixtureFile, texts } from '../valid-files.js';

const folderOf = (array: string, lines: boolean) => ({
  'passages.npy': fixtureFile(`npy/${array}.npy`),
  'queries.npy': fixtureFile(`npy/${array}.npy`),
  ...texts({
    [lines ? 'passages.txt' : 'passages.jsonl']: lines
      ? 'p1\np2\np3\n'
      : '{"_id": "p1"}\n{"id": "p2"}\n{"_id": "p3"}\n',
    'queries.txt': 'q1\nq2\nq3\n',
    'vectors.json': '{"similarity": "cosine"}',
  }),
});

/** @param vectors both sides, in Parquet */
const parquetFolder = (vectors: string) => ({
  'passages.parquet': fixtureFile(`parquet/vectors-${vectors}.parquet`),
  'queries.parquet': fixtureFile(`parquet/vectors-${vectors}.parquet`),
  ...texts({ 'vectors.json': '{"similarity": "cosine"}' }),
});

const loaders: readonly Loader[] = [
  {
    name: 'vectors-folder',
    inputs: () => [
      ...[folderOf('float32', true), folderOf('float16', false), folderOf('version2', true)],
      ...['float32', 'float16', 'split', 'pages', 'pages2', 'required'].map(parquetFolder),
    ],
    codes: ['DATA_INVALID', 'PATH_INVALID', 'CONFIG_INVALID'],
    async load(folder) {
      const given = await describeGiven(folder, null);
      for await (const id of identifiersIn(given, 'passages'))
        if (id === '') throw new UnfitResult('an id without a letter');
      const rows = await GivenRows.open(given, 'passages');
      try {
        checkNumbers(await rows.read(0, given.counts.passages));
      } finally {
        await rows.close();
      }
      const queries = await GivenQueries.open(given);
      checkNumbers(queries.values);
      if (queries.rows.size !== given.counts.queries) throw new UnfitResult(`${queries.rows.size} ids`);
    },
  },
  {
    name: 'endpoint-answer',
    inputs: () => [
      texts({ input: JSON.stringify(answerTo({ input: ['a', 'b', 'c'], encoding_format: 'float' })) }),
    ],
    codes: ['DOWNLOAD_FAILED'],
    async load(folder) {
      const text = await readFile(path.join(folder, 'input'), 'utf8');
      try {
        const { vectors, dimensions } = readAnswer(text, 3, undefined);
        checkNumbers(vectors);
        if (vectors.length !== 3 * dimensions) throw new UnfitResult(`${vectors.length} numbers`);
      } catch (error) {
        if (error instanceof AnswerFault) throw new BenchError('DOWNLOAD_FAILED', error.message);
        throw error;
      }
    },
  },
];

export default loaders;
