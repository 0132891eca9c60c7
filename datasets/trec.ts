/**
 * Any collection in TREC's formats: `trec --data DIR` with a collection, topics and qrels. Files are known by how their names
 * begin; `train` or `dev` as a part of a name says which split it belongs to, and all others are the test's.
 */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Dataset, DatasetPlugin, DatasetRequest, Query, Split } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { inspect } from '../harness/interchange/inspection.js';
import { readQrels } from '../harness/interchange/qrels.js';
import { assertFolder, describeAll, remembered } from './collection/files.js';
import { judgedPassages, judgedSplits, type SplitFiles, splits } from './collection/judged.js';
import { passagesOf, topicsOf } from './trec/read.js';

const layout =
  'The folder holds topics* (or queries*), qrels* and collection* (or docs*, documents*, corpus*), which may be a folder of files; names with a part "train" or "dev" are of that split. Collections are <DOC> with <DOCNO>, or lines of an id, a tab and a text; each file may be packed with gzip.';
const licence = 'that of the collection';

const kinds = {
  collection: /^(collection|docs|documents|corpus)/i,
  topics: /^(topics|queries)/i,
  qrels: /^qrels/i,
};

function splitOf(name: string): Split {
  return /(^|[._-])train([._-]|$)/i.test(name)
    ? 'train'
    : /(^|[._-])dev([._-]|$)/i.test(name)
      ? 'dev'
      : 'test';
}

async function filesBelow(place: string): Promise<string[]> {
  if (!(await stat(place)).isDirectory()) return [place];
  const names = (await readdir(place)).filter((name) => !name.startsWith('.')).sort();
  return (await Promise.all(names.map((name) => filesBelow(path.join(place, name))))).flat();
}

interface Found {
  collection: string[];
  topics: Record<Split, string | undefined>;
  qrels: Record<Split, string | undefined>;
}

async function find(folder: string): Promise<Found> {
  const nothing = () =>
    ({ train: undefined, dev: undefined, test: undefined }) as Record<Split, string | undefined>;
  const found: Found = { collection: [], topics: nothing(), qrels: nothing() };
  for (const name of (await readdir(folder)).sort()) {
    const place = path.join(folder, name);
    if (kinds.collection.test(name)) {
      found.collection.push(...(await filesBelow(place)));
      continue;
    }
    for (const kind of ['topics', 'qrels'] as const) {
      if (!kinds[kind].test(name)) continue;
      const split = splitOf(name);
      const earlier = found[kind][split];
      if (earlier !== undefined) {
        throw new BenchError(
          'PATH_INVALID',
          `${earlier} and ${place} are both ${kind} of the ${split} split.`,
          { hint: layout },
        );
      }
      found[kind][split] = place;
    }
  }
  const missing = [
    ...(found.collection.length === 0 ? ['collection'] : []),
    ...(found.topics.test === undefined ? ['topics'] : []),
  ];
  if (missing.length > 0) {
    throw new BenchError('PATH_INVALID', `${folder} has no ${missing.join(' and no ')}.`, { hint: layout });
  }
  return found;
}

async function open(request: DatasetRequest): Promise<Dataset> {
  const { folder } = request;
  if (folder === undefined) {
    throw new BenchError('PATH_INVALID', 'trec opens a folder, and none was given.', {
      hint: placeholder.instructions,
    });
  }
  await assertFolder(folder, layout);
  const { collection, topics, qrels } = await find(folder);
  const files = [...collection];
  const bySplit = {} as Record<Split, SplitFiles>;
  for (const split of splits) {
    const [topicFile, qrelFile] = [topics[split], qrels[split]];
    if (topicFile !== undefined) files.push(topicFile);
    if (qrelFile !== undefined) files.push(qrelFile);
    bySplit[split] = {
      queries: topicFile === undefined ? new Map<string, Query>() : await topicsOf(topicFile),
      qrels: qrelFile === undefined ? undefined : await readQrels(qrelFile),
    };
  }
  const { passageCount, absent } = await remembered(request, 'trec inspection 1', files, () =>
    inspect(() => passagesOf(collection), judgedPassages(bySplit), String),
  );
  if (passageCount === 0)
    throw new BenchError('DATA_INVALID', `${collection.join(', ')}: no passages.`, { hint: layout });
  const judged = judgedSplits(bySplit, new Set(absent));
  return {
    name: 'trec',
    version: 'trec-1',
    licence,
    files: await describeAll(request, files),
    passageCount,
    remarks: judged.remarks,
    async *passages() {
      for await (const { passageId, title, text } of passagesOf(collection)) yield { passageId, title, text };
    },
    queries: async (split) => judged.splits[split].queries,
    qrels: async (split) => judged.splits[split].qrels,
  };
}

const placeholder = {
  name: 'folder',
  url: '',
  sizeBytes: 0,
  licence,
  instructions: `Give a folder with --data DIR. ${layout}`,
};

const trec: DatasetPlugin = {
  summary: 'a collection, topics and qrels in TREC formats, from a folder given with --data',
  downloads: () => [placeholder],
  open,
};

export default trec;
