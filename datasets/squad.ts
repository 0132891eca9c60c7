/**
 * SQuAD v1.1 (Rajpurkar et al. 2016) as a retrieval collection: every distinct paragraph of both files is a passage,
 * its article's title beside it; a question's own paragraph is its one relevant passage. The questions of the dev
 * file are the test queries, since the official test set is not public; a tenth of the train questions is dev.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type {
  DataFile,
  Dataset,
  DatasetPlugin,
  DatasetRequest,
  Download,
  Passage,
  Qrel,
  Query,
  Split,
} from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { assertQueryId } from '../harness/interchange/identifiers.js';
import { readPlain } from '../harness/store/plain-file.js';
import { type Article, parseSquad } from './squad/format.js';

const address = 'https://rajpurkar.github.io/SQuAD-explorer/dataset/';
const licence = 'CC BY-SA 4.0';
/** Chooses the dev queries. Not the run's seed: every run sees the same splits. */
const devSeed = 12345;

const trainFile: Download = {
  name: 'train-v1.1.json',
  url: `${address}train-v1.1.json`,
  sizeBytes: 30_288_272,
  sha256: '3527663986b8295af4f7fcdff1ba1ff3f72d07d61a20f487cb238a6ef92fd955',
  licence,
};
const devFile: Download = {
  name: 'dev-v1.1.json',
  url: `${address}dev-v1.1.json`,
  sizeBytes: 4_854_279,
  sha256: '95aa6a52d5d6a735563366753ca50492a658031da74f301ac5238b03966972c9',
  licence,
};

/** The file in the user's folder, where one was given. */
async function inFolder(folder: string, name: string): Promise<string> {
  const hint = `Give a folder that holds ${trainFile.name} and ${devFile.name}, or leave --data out to have them downloaded.`;
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) throw new BenchError('PATH_INVALID', `There is no folder ${folder}.`, { hint });
  if (!found.isDirectory()) {
    throw new BenchError('PATH_INVALID', `${folder} is a file, and a folder is needed.`, { hint });
  }
  const file = path.join(folder, name);
  if (!(await stat(file).catch(() => undefined))?.isFile()) {
    throw new BenchError('PATH_INVALID', `There is no file ${name} in ${folder}.`, { hint });
  }
  return file;
}

interface SquadFile {
  name: string;
  articles: readonly Article[];
  described: DataFile;
}

async function readSquad(download: Download, request: DatasetRequest): Promise<SquadFile> {
  const { name } = download;
  const file =
    request.folder === undefined ? await request.fetch(download) : await inFolder(request.folder, name);
  let bytes: Buffer;
  try {
    bytes = await readPlain(file);
  } catch (cause) {
    throw new BenchError(
      'PATH_INVALID',
      `${file} cannot be read (${(cause as NodeJS.ErrnoException).code}).`,
      {
        hint: 'Make it readable, or give another folder with --data DIR.',
        cause,
      },
    );
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    name,
    articles: parseSquad(bytes, file),
    described: { name, sizeBytes: bytes.length, sha256 },
  };
}

/** A query, its paragraph, and the place it was read from. */
interface Question {
  query: Query;
  passageId: string;
  place: string;
}

interface Collection {
  passages: Passage[];
  /** By name of the file. */
  questions: Map<string, Question[]>;
}

/** Both files together; a paragraph that stands in both, or twice in one, becomes one passage. */
function collect(files: readonly SquadFile[]): Collection {
  const passages = new Map<string, Passage>();
  const counts = new Map<string, number>();
  const places = new Map<string, string>();
  const questions = new Map<string, Question[]>();
  for (const { name, articles } of files) {
    const own: Question[] = [];
    questions.set(name, own);
    for (const [a, article] of articles.entries()) {
      const title = article.title.replaceAll('_', ' ');
      // Ids go into TREC files, whose columns are parted by blanks.
      const slug = title.replace(/\s/g, '_');
      for (const [p, { context, qas }] of article.paragraphs.entries()) {
        const key = `${title}\0${context}`;
        let passage = passages.get(key);
        if (passage === undefined) {
          const number = counts.get(slug) ?? 0;
          counts.set(slug, number + 1);
          passage = { passageId: `${slug}:${number}`, title, text: context };
          passages.set(key, passage);
        }
        for (const [q, { id, question, answers }] of qas.entries()) {
          const place = `${name} data[${a}].paragraphs[${p}].qas[${q}]`;
          assertQueryId(id, () => `${place}: the id`);
          const earlier = places.get(id);
          if (earlier !== undefined) {
            throw new BenchError(
              'DATA_INVALID',
              `Two questions have the id '${id}': ${earlier} and ${place}.`,
              {
                hint: 'Ids must be unique over both files: remove or rename one of the two.',
              },
            );
          }
          places.set(id, place);
          const distinct = [...new Set(answers.map(({ text }) => text))];
          own.push({
            query: { queryId: id, text: question, answers: distinct },
            passageId: passage.passageId,
            place,
          });
        }
      }
    }
  }
  return { passages: [...passages.values()], questions };
}

/** The ids of the tenth whose seeded hashes are smallest: the same ones in whatever order the questions come. */
function devIds(questions: readonly Question[]): Set<string> {
  const hashed = questions.map(({ query: { queryId } }) => ({
    queryId,
    hash: createHash('sha256').update(`${devSeed}/${queryId}`).digest('hex'),
  }));
  hashed.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  return new Set(hashed.slice(0, Math.round(hashed.length / 10)).map(({ queryId }) => queryId));
}

async function open(request: DatasetRequest): Promise<Dataset> {
  const files = [await readSquad(trainFile, request), await readSquad(devFile, request)];
  const { passages, questions } = collect(files);
  const train = questions.get(trainFile.name)!;
  const dev = devIds(train);
  const splits: Record<Split, readonly Question[]> = {
    train: train.filter(({ query }) => !dev.has(query.queryId)),
    dev: train.filter(({ query }) => dev.has(query.queryId)),
    test: questions.get(devFile.name)!,
  };
  return {
    name: 'squad',
    version: '1.1-1',
    licence,
    files: files.map(({ described }) => described),
    passageCount: passages.length,
    answerMatching: 'string',
    async *passages() {
      yield* passages;
    },
    queries: async (split) => splits[split].map(({ query }) => query),
    qrels: async (split) =>
      splits[split].map(
        ({ query, passageId }): Qrel => ({ queryId: query.queryId, passageId, relevance: 1 }),
      ),
  };
}

const squad: DatasetPlugin = {
  summary: 'SQuAD v1.1: questions on Wikipedia paragraphs; the dev file is the test set (35 MB download)',
  downloads: () => [trainFile, devFile],
  open,
};

export default squad;
