/** Every dataset that opens a folder, and the files that are kept of one. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { NumberedLists } from '../../../datasets/collection/numbered-lists.js';
import { passageEnds, passagesIn } from '../../../datasets/dpr/passages.js';
import type { Dataset } from '../../../harness/contracts.js';
import { ParquetFile } from '../../../harness/interchange/parquet-file.js';
import { passagesAt, writePlaces } from '../../../harness/interchange/passage-places.js';
import { loadDataset } from '../../../harness/plugins.js';
import { type Files, type Loader, UnfitResult } from '../loader.js';
import { readWhole } from '../results-checked.js';
import { fixtureFile, fixtureFiles, texts, written } from '../valid-files.js';

const fetch = (): never => {
  throw new Error('a folder was given, and something is fetched');
};

async function open(name: string, folder: string): Promise<Dataset> {
  const { plugin, variant } = await loadDataset(name);
  return plugin.open({ folder, fetch, ...(variant !== undefined && { variant }) });
}

/** Of a dataset, as the command line says it. */
const dataset = (name: string, inputs: () => readonly Files[]): Loader => ({
  name: `dataset-${name.replaceAll('/', '-')}`,
  inputs,
  codes: ['DATA_INVALID', 'PATH_INVALID'],
  load: async (folder) => readWhole(await open(name, folder)),
});

const scored = `${JSON.stringify({
  qid: '11',
  pos: [{ pid: '0', 'ce-score': 9.1 }],
  neg: {
    bm25: [
      { pid: '3', 'ce-score': -2.4 },
      { pid: 4, 'ce-score': 1 },
    ],
    dense: [{ pid: '2', 'ce-score': 0 }],
  },
})}\n${JSON.stringify({ qid: 12, pos: [{ pid: 2, 'ce-score': 5 }], neg: {} })}\n`;

const topics = [
  '<top>\n<num> Number: 301\n<title> Crime\n<desc> Description:\nIdentify.\n</top>\n<top>\n<num>302</num>\n<title>Topic: Polio</title>\n</top>\n',
  '<topics>\n<topic number="301" \n kind="x"><query>crime</query></topic>\n<topic id=\'302\'>text alone</topic>\n</topics>\n',
  '301\tcrime\n302\tpolio &amp; more\n',
];
const trec = fixtureFiles('datasets/trec');
const msMarco = fixtureFiles('datasets/ms-marco/dl19');

const loaders: readonly Loader[] = [
  dataset('beir', () => [fixtureFiles('datasets/beir/nfcorpus')]),
  dataset('beir/nfcorpus', () => [fixtureFiles('datasets/beir/nfcorpus')]),
  dataset('dpr/nq', () => [fixtureFiles('datasets/dpr/nq')]),
  dataset('squad', () => [fixtureFiles('datasets/squad')]),
  dataset('trec', () => topics.map((text) => ({ ...trec, ...texts({ 'topics.txt': text }) }))),
  dataset('ms-marco/dl19', () => [msMarco]),
  dataset('ms-marco/titles', () => [fixtureFiles('datasets/ms-marco/titles')]),
  dataset('ms-marco/sbert', () => [{ ...msMarco, ...texts({ 'msmarco-hard-negatives.jsonl': scored }) }]),
  dataset('hub', () => [fixtureFiles('datasets/hub'), fixtureFiles('hub/nano')]),
  {
    name: 'parquet',
    inputs: () =>
      ['zstd', 'pages', 'version2-plain', 'deltas', 'deltas-version2', 'snappy', 'gzip', 'brotli'].map(
        (name) => ({
          'input.parquet': fixtureFile(`parquet/${name}.parquet`),
        }),
      ),
    codes: ['DATA_INVALID'],
    async load(folder) {
      const file = await ParquetFile.open(path.join(folder, 'input.parquet'), 'DATA_INVALID');
      try {
        const names = file.columns.filter(({ kind }) => kind !== 'other').map(({ name }) => name);
        let rows = 0;
        for await (const { row, values } of file.rows(names)) {
          rows++;
          if (row !== rows || values.some((value) => value === undefined))
            throw new UnfitResult(`row ${row}`);
        }
        if (names.length > 0 && rows !== file.rowCount)
          throw new UnfitResult(`${rows} rows of ${file.rowCount}`);
      } finally {
        await file.close();
      }
    },
  },
  {
    name: 'passage-places',
    inputs: async () => [
      await written(async (folder) => {
        const file = path.join(folder, 'passages.tsv');
        await writeFile(file, fixtureFiles('datasets/dpr/nq')['psgs_w100.tsv']!);
        await writePlaces(path.join(folder, 'places'), passageEnds(file));
      }),
    ],
    codes: ['DATA_INVALID', 'PATH_INVALID', 'CACHE_INVALID'],
    async load(folder) {
      const file = path.join(folder, 'passages.tsv');
      const places = path.join(folder, 'places');
      const placed = { file, places, passagesIn };
      for await (const { passageId } of passagesAt(placed, [0, 1, 3]))
        if (passageId === '') throw new UnfitResult('a passage without an id');
    },
  },
  {
    name: 'numbered-lists',
    inputs: async () => [
      await written(async (folder) => {
        const lists = new NumberedLists(['a', 'b', 'c'], 4);
        for (const passage of [7, 8, 9, 10]) lists.add(0, passage);
        lists.add(2, 4_000_000_000);
        await lists.write(path.join(folder, 'content'));
      }),
    ],
    codes: ['CACHE_INVALID'],
    async load(folder) {
      const lists = await NumberedLists.read(path.join(folder, 'content'), ['a', 'b', 'c'], 4);
      for (const _ of lists.entries());
    },
  },
];

export default loaders;
