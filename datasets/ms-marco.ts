/**
 * MS MARCO passage ranking (Nguyen et al. 2016) and the passages of the TREC Deep Learning tracks of 2019 and 2020. The test
 * queries are dev.small, which is what papers report, or a track's judged topics. Texts are taken as they were published,
 * mis-decoded characters and all, as most papers do. With titles: the passages and titles of RocketQA's copy. With sbert:
 * trained on the hard negatives of Sentence-Transformers instead of those of the triples.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Dataset, DatasetPlugin, DatasetRequest, Query } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { inspect } from '../harness/interchange/inspection.js';
import { readQrels } from '../harness/interchange/qrels.js';
import { describeAll, remembered } from './collection/files.js';
import { judgedPassages, judgedSplits, type SplitFiles } from './collection/judged.js';
import type { NumberedLists } from './collection/numbered-lists.js';
import { placedPassages } from './collection/placed.js';
import { tabQueries } from './collection/tab-lines.js';
import { downloadsOf, type Files, filesOf, layout, partsOf } from './ms-marco/files.js';
import { keptScoredNegatives } from './ms-marco/hard-negatives.js';
import { keptNegatives } from './ms-marco/negatives.js';
import { passagesOf } from './ms-marco/passages.js';

/** Dev queries that choose the checkpoint: none of them is in dev.small. */
const devCount = 1000;
const devSeed = 12345;

const none: SplitFiles = { qrels: undefined, queries: new Map() };

/** The queries whose seeded hashes are smallest: the same ones in whatever order they come. */
function drawn(queries: ReadonlyMap<string, Query>, without: ReadonlyMap<string, Query>): Map<string, Query> {
  const hashed = [...queries]
    .filter(([queryId]) => !without.has(queryId))
    .map(([queryId, query]) => ({
      query,
      hash: createHash('sha256').update(`${devSeed}/${queryId}`).digest('hex'),
    }));
  hashed.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  return new Map(hashed.slice(0, devCount).map(({ query }) => [query.queryId, query]));
}

async function splitFiles({
  train,
  dev,
  test,
}: Files): Promise<Record<'train' | 'dev' | 'test', SplitFiles>> {
  const files = {
    train:
      train === undefined
        ? none
        : { qrels: await readQrels(train.qrels), queries: await tabQueries(train.queries) },
    dev: none,
    test: {
      qrels: test.qrels === undefined ? undefined : await readQrels(test.qrels),
      queries: await tabQueries(test.queries),
    },
  };
  if (dev === undefined) return files;
  const queries = drawn(await tabQueries(dev.queries), await tabQueries(dev.small));
  const all = await readQrels(dev.qrels);
  const qrels = new Map(
    [...queries.keys()].flatMap((id) => (all.has(id) ? [[id, all.get(id)!] as const] : [])),
  );
  return { ...files, dev: { qrels, queries } };
}

async function open(request: DatasetRequest): Promise<Dataset> {
  const { variant } = request;
  const { year } = partsOf(variant);
  const files = await filesOf(request);
  const bySplit = await splitFiles(files);
  const { collection, titles, test, train, dev, triples, scored } = files;
  const all = [
    collection,
    titles,
    test.queries,
    test.qrels,
    train?.queries,
    train?.qrels,
    dev?.queries,
    dev?.qrels,
    triples,
    scored,
  ];
  const read = all.filter((file) => file !== undefined);
  const { passageCount, absent, starts } = await remembered(request, 'ms-marco inspection 2', read, () =>
    inspect(
      () => passagesOf(collection, titles),
      judgedPassages(bySplit),
      (line) => `${path.basename(collection)}, line ${line}`,
    ),
  );
  if (passageCount === 0)
    throw new BenchError('DATA_INVALID', `${collection} holds no passages.`, { hint: layout });
  const judged = judgedSplits(bySplit, new Set(absent));
  let negatives: Promise<NumberedLists> | undefined;
  const trainQrels = bySplit.train.qrels;
  return {
    name: variant === undefined ? 'ms-marco' : `ms-marco/${variant}`,
    version: '1-2',
    licence: 'MS MARCO terms, research use',
    files: await describeAll(request, read),
    passageCount,
    // The tracks' guidelines: grade 1 is on topic, and does not answer.
    ...(year !== undefined && { relevantFrom: 2 }),
    // No dropsIdenticalIds: queries and passages are numbered each by themselves, and a query's number is an answer's by chance.
    trainsOn: 'each-positive',
    remarks: judged.remarks,
    passages: () => placedPassages((start) => passagesOf(collection, titles, start), starts),
    queries: async (split) => judged.splits[split].queries,
    qrels: async (split) => judged.splits[split].qrels,
    ...((triples ?? scored) !== undefined &&
      trainQrels !== undefined && {
        async negatives(split) {
          if (split !== 'train') return new Map<string, readonly string[]>();
          negatives ??=
            scored === undefined
              ? keptNegatives(request, triples!, train!.qrels, trainQrels)
              : keptScoredNegatives(request, scored, train!.qrels, trainQrels);
          return negatives;
        },
      }),
  };
}

const msMarco: DatasetPlugin = {
  summary:
    'MS MARCO passages with dev.small, TREC DL 2019 or 2020; titles: as by RocketQA; sbert: its hard negatives (3 GB download)',
  variants: ['titles', 'sbert', 'titles-sbert', 'dl19', 'dl19-titles', 'dl20', 'dl20-titles'],
  downloads: downloadsOf,
  open,
};

export default msMarco;
