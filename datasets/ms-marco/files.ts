/** What MS MARCO and TREC publish, as data, and where each thing lies once it is here. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { DatasetRequest, Download } from '../../harness/contracts.js';
import { assertFolder, fileOf, findIn, needIn, unpacked } from '../collection/files.js';

const address = 'https://msmarco.z22.web.core.windows.net/msmarcoranking/';
const licence = 'MS MARCO terms, research use';

const collectionAndQueries: Download = {
  name: 'collectionandqueries.tar.gz',
  url: `${address}collectionandqueries.tar.gz`,
  sizeBytes: 1_057_717_952,
  md5: '31644046b18952c1386cd4564ba2ae69',
  licence,
};
const devQrels: Download = {
  name: 'qrels.dev.tsv',
  url: `${address}qrels.dev.tsv`,
  sizeBytes: 1_201_626,
  md5: '9157ccaeaa8227f91722ba5770787b16',
  licence,
};
const triples: Download = {
  name: 'qidpidtriples.train.full.2.tsv.gz',
  url: `${address}qidpidtriples.train.full.2.tsv.gz`,
  sizeBytes: 1_841_693_309,
  md5: '219083e80a0a751c08b968c2f31a4e0b',
  licence,
};
/** Its publisher, Sentence-Transformers, gives neither size nor hash. */
const scored: Download = {
  name: 'msmarco-hard-negatives.jsonl.gz',
  url: 'https://sbert.net/datasets/msmarco-hard-negatives.jsonl.gz',
  sizeBytes: 0,
  licence,
};
/** RocketQA's copy of the collection, which brings titles; its publisher gives neither size nor hash. */
const titled: Download = {
  name: 'marco.tar.gz',
  url: 'https://rocketqa.bj.bcebos.com/corpus/marco.tar.gz',
  sizeBytes: 0,
  licence,
};

const topics: Readonly<Record<'dl19' | 'dl20', { queries: Download; qrels: Download }>> = {
  dl19: {
    queries: {
      name: 'msmarco-test2019-queries.tsv.gz',
      url: `${address}msmarco-test2019-queries.tsv.gz`,
      sizeBytes: 4276,
      md5: 'eda71eccbe4d251af83150abe065368c',
      licence,
    },
    qrels: {
      name: '2019qrels-pass.txt',
      url: 'https://trec.nist.gov/data/deep/2019qrels-pass.txt',
      sizeBytes: 187_092,
      md5: '2f4be390198da108f6845c822e5ada14',
      licence: 'NIST, public',
    },
  },
  dl20: {
    queries: {
      name: 'msmarco-test2020-queries.tsv.gz',
      url: `${address}msmarco-test2020-queries.tsv.gz`,
      sizeBytes: 4131,
      md5: '00a406fb0d14ed3752d70d1e4eb98600',
      licence,
    },
    qrels: {
      name: '2020qrels-pass.txt',
      url: 'https://trec.nist.gov/data/deep/2020qrels-pass.txt',
      sizeBytes: 218_617,
      md5: '0355ccee7509ac0463e8278186cdd8d1',
      licence: 'NIST, public',
    },
  },
};

export type Year = keyof typeof topics;

/** `dl19-titles` is the year dl19, over passages with titles; `sbert` trains on other negatives. */
export function partsOf(variant: string | undefined): {
  year: Year | undefined;
  hasTitles: boolean;
  hasScores: boolean;
} {
  const parts = variant?.split('-') ?? [];
  return {
    year: parts.find((part) => part === 'dl19' || part === 'dl20'),
    hasTitles: parts.includes('titles'),
    hasScores: parts.includes('sbert'),
  };
}

export function downloadsOf(variant: string | undefined): Download[] {
  const { year, hasTitles, hasScores } = partsOf(variant);
  return [
    collectionAndQueries,
    devQrels,
    hasScores ? scored : triples,
    ...(hasTitles ? [titled] : []),
    ...(year === undefined ? [] : [topics[year].queries, topics[year].qrels]),
  ];
}

export const layout =
  'The folder holds collection.tsv (with titles: para.txt and para.title.txt), queries.dev.small.tsv and qrels.dev.small.tsv (for dl19: msmarco-test2019-queries.tsv and 2019qrels-pass.txt; dl20 likewise), and for training queries.train.tsv, qrels.train.tsv, queries.dev.tsv, qrels.dev.tsv and qidpidtriples.train.full.2.tsv (for sbert: msmarco-hard-negatives.jsonl); each may end in .gz.';

/** Paths; what training needs may be absent from a folder. */
export interface Files {
  collection: string;
  titles: string | undefined;
  test: { queries: string; qrels: string | undefined };
  train: { queries: string; qrels: string } | undefined;
  /** All dev queries, of which the test's dev.small is a part. */
  dev: { queries: string; qrels: string; small: string } | undefined;
  /** What negatives come from: triples, or lists by system with scores. */
  triples: string | undefined;
  scored: string | undefined;
}

export async function filesOf(request: DatasetRequest): Promise<Files> {
  const { year, hasTitles, hasScores } = partsOf(request.variant);
  const given = request.folder;
  if (given !== undefined) await assertFolder(given, layout);
  const folder = given ?? (await unpacked(request, collectionAndQueries));
  const titleFolder = !hasTitles ? folder : (given ?? path.join(await unpacked(request, titled), 'marco'));
  const pair = async (queries: string | undefined, qrels: string | undefined) =>
    queries === undefined || qrels === undefined ? undefined : { queries, qrels };
  const small = await findIn(folder, ['queries.dev.small.tsv']);
  const dev = await pair(await findIn(folder, ['queries.dev.tsv']), await fileOf(request, devQrels));
  const inYear = year === undefined ? undefined : topics[year];
  const train = await pair(
    await findIn(folder, ['queries.train.tsv']),
    await findIn(folder, ['qrels.train.tsv']),
  );
  return {
    collection: await needIn(titleFolder, [hasTitles ? 'para.txt' : 'collection.tsv'], layout),
    titles: hasTitles ? await needIn(titleFolder, ['para.title.txt'], layout) : undefined,
    test:
      inYear === undefined
        ? {
            queries: await needIn(folder, ['queries.dev.small.tsv'], layout),
            qrels: await findIn(folder, ['qrels.dev.small.tsv']),
          }
        : {
            queries:
              given === undefined
                ? await request.fetch(inYear.queries)
                : await needIn(
                    given,
                    [inYear.queries.name.replace(/\.gz$/, ''), 'queries.tsv', 'topics.tsv'],
                    layout,
                  ),
            qrels: await fileOf(request, inYear.qrels),
          },
    train,
    dev: dev === undefined || small === undefined ? undefined : { ...dev, small },
    triples: hasScores ? undefined : await fileOf(request, triples),
    scored: hasScores && train !== undefined ? await scoredFile(request) : undefined,
  };
}

/** @throws BenchError PATH_INVALID where a folder lacks it: who asks for these negatives is not to train on others */
async function scoredFile(request: DatasetRequest): Promise<string> {
  const { folder } = request;
  if (folder === undefined) return request.fetch(scored);
  const name = scored.name.replace(/\.gz$/, '');
  const pickles = (await readdir(folder)).filter((each) => /\.(pkl|pickle)(\.gz)?$/.test(each));
  const hint =
    pickles.length === 0
      ? layout
      : `${pickles.join(', ')} cannot stand in for it: pickles are not read. Needed is the form whose lines hold the scores: ${scored.url}`;
  return needIn(folder, [name], hint);
}
