/** The folders that docs/datasets.md describes: each is made as the page says, opened, and searched by `bench run`. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/run.js';
import { loadDataset } from '../harness/plugins.js';
import type { RunRecord } from '../harness/record.js';
import { inFolder, openFolder } from './datasets-folder.js';

const work = mkdtempSync(path.join(tmpdir(), 'strata-documented-'));
after(() => rmSync(work, { recursive: true, force: true }));

// Every run listens for an interrupt until the process ends.
process.setMaxListeners(50);

const page = readFileSync(path.join(import.meta.dirname, '../../docs/datasets.md'), 'utf8');

const squad = (id: string, text: string) => {
  const answers = [{ text: 'salt', answer_start: 0 }];
  const qas = Array.from({ length: 5 }, (_, i) => ({
    id: `${id}${i}`,
    question: `what about ${text}`,
    answers,
  }));
  return JSON.stringify({ data: [{ title: 'Bread', paragraphs: [{ context: `${text} and salt`, qas }] }] });
};
const context = (passage_id: string, text: string) => ({ title: '', text, passage_id });
const biencoder = JSON.stringify([
  {
    question: 'bread',
    answers: ['salt'],
    positive_ctxs: [context('1', 'bread and salt')],
    negative_ctxs: [],
    hard_negative_ctxs: [context('2', 'wine')],
  },
]);
/** Small files of every format that the page names, by a part of the file's name; the first that fits is taken. */
const contents: readonly (readonly [RegExp, string])[] = [
  [/^train-v1/, squad('t', 'bread')],
  [/^dev-v1/, squad('d', 'wine')],
  [/^psgs/, 'id\ttext\ttitle\n1\t"bread and ""salt"""\tA\n2\twine\tB\n'],
  [/\.qa\.csv$/, "bread\t['salt', \"it's\"]\n"],
  [/^biencoder/, biencoder],
  [/^collection\.tsv$|^para\.txt$/, '1\tbread and salt\n2\twine\n'],
  [/^para\.title/, '1\tBread\n2\tWine\n'],
  [/^queries\.dev\.tsv$/, '7\tbread\n8\tsalt\n'],
  [/^qrels\.dev\.tsv$/, '7\t0\t1\t1\n8\t0\t1\t1\n'],
  [/^queries\.(dev\.small|train)\.tsv$|^msmarco-test/, '7\tbread\n'],
  [/^qrels\.(dev\.small|train)\.tsv$/, '7\t0\t1\t1\n'],
  [/qrels-pass/, '7 Q0 1 3\n7 Q0 2 1\n'],
  [/^qidpid/, '7\t1\t2\n'],
  [/^corpus\.jsonl$/, '{"_id":"1","title":"A","text":"bread and salt"}\n{"_id":"2","text":"wine"}\n'],
  [/^queries\.jsonl$/, '{"_id":"7","text":"bread"}\n'],
  [/^qrels\/\w+\.tsv$/, 'query-id\tcorpus-id\tscore\n7\t1\t1\n'],
  [/^(topics|queries)/, '<top>\n<num> Number: 7\n<title> bread\n</top>\n'],
  [/^qrels/, '7 0 1 1\n'],
  [/^(collection|docs|documents|corpus)/, '<DOC>\n<DOCNO> 1 </DOCNO>\n<TEXT>bread</TEXT>\n</DOC>\n'],
];

function contentOf(name: string): string {
  const found = contents.find(([pattern]) => pattern.test(name));
  assert.ok(found, `${name}, which the page names, is of no format that is known here`);
  return found[1];
}

const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);

interface Layout {
  datasets: string[];
  search: string[];
  train: string[];
}

/** The rows of the page's table, by the first dataset of each. */
function layoutsOf(text: string): Map<string, Layout> {
  const layouts = new Map<string, Layout>();
  for (const line of text.split('\n').filter((each) => /^\| `/.test(each))) {
    const [, first = '', search = '', train = ''] = line.split('|').map((cell) => cell.trim());
    const datasets = quoted(first).map((name) => name.replace('NAME', 'scifact'));
    // In parentheses stands what one variant has otherwise; of several names of one file the first is taken.
    const plain = (cell: string) => cell.replace(/\([^)]*\)/g, '').replace(/(\*`)(,| or) `[^;]*/g, '$1');
    const files = quoted(plain(search)).map((name) => name.replace('*', ''));
    // Embedded.
    if (files.length === 0) continue;
    const like = /^as `([^`]+)`/.exec(train)?.[1];
    const parts = /a part `(\w+)` or `(\w+)`/.exec(train)?.slice(1) ?? [];
    const bySplit = parts.flatMap((part) =>
      files.filter((name) => !name.startsWith('collection')).map((name) => `${name}.${part}`),
    );
    layouts.set(datasets[0]!, {
      datasets,
      search: files,
      train: [
        ...quoted(plain(train)).filter((name) => name.includes('.')),
        ...(like === undefined ? [] : layouts.get(like)!.train),
        ...bySplit,
      ],
    });
  }
  return layouts;
}

function filesOf(names: readonly string[], packed = false): Record<string, Buffer> {
  const files = names.map((name) => [name, Buffer.from(contentOf(name))] as const);
  return Object.fromEntries(packed ? files.map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]) : files);
}

async function recordOf(dataset: string, folder: string): Promise<RunRecord> {
  let printed = '';
  const argv = ['--arch', 'bm25', '--dataset', dataset, '--data', folder, '--set', 'latency.queries=0'];
  const places = ['--cache', path.join(work, 'cache'), '--out', path.join(work, 'out')];
  const code = await execute('run', command, [...argv, ...places, '--json'], (text) => {
    printed += text;
  });
  assert.equal(code, 0);
  return JSON.parse(printed) as RunRecord;
}

const layouts = layoutsOf(page);

test('the page tells of every dataset that reads a folder', () => {
  assert.deepEqual([...layouts.keys()].toSorted(), [
    ...['beir', 'dpr/nq', 'dpr/squad1', 'dpr/trivia'],
    ...['ms-marco', 'ms-marco/dl19', 'ms-marco/dl20', 'squad', 'trec'],
  ]);
});

for (const [row, { datasets, search, train }] of layouts) {
  for (const dataset of datasets) {
    test(`${dataset}: ${search.join(', ')} can be searched`, async () => {
      for (const packed of row === 'squad' ? [false] : [false, true]) {
        await inFolder(filesOf(search, packed), async (folder) => {
          const { measures, warnings } = await recordOf(dataset, folder);
          const [first] = Object.values(measures);
          assert.equal(first!.mean, 1, warnings.join('\n'));
        });
      }
    });

    test(`${dataset}: ${train.join(', ') || 'the same'} to train`, () =>
      inFolder(filesOf([...search, ...train]), async (folder) => {
        const { plugin, variant } = await loadDataset(dataset);
        const opened = await openFolder(plugin, folder, variant);
        for (const split of ['train', 'dev', 'test'] as const)
          assert.ok((await opened.queries(split)).length > 0, `${split} has no queries`);
        if (opened.negatives !== undefined)
          assert.deepEqual([...(await opened.negatives('train')).values()], [['2']]);
      }));
  }
}
