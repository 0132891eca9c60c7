/** Texts and hits for a report: hits from the file beside the record, texts from the dataset where it is on this machine. */

import path from 'node:path';
import type { TextSource } from '../comparison.js';
import type { Dataset, Qrels, Query, Split } from '../contracts.js';
import { qrelsById } from '../dataset/qrels.js';
import { passageTexts } from '../dataset/reading.js';
import { BenchError } from '../errors.js';
import { readRun } from '../interchange/trec.js';
import { openDatasetHere } from '../pipeline/open-dataset.js';
import type { RunRecord } from '../record.js';
import { hashFile } from '../store/hash.js';

export interface Places {
  /** A folder that holds the dataset, or folders by its name. */
  data?: string | ReadonlyMap<string, string>;
  /** The cache, whose downloads are used too. */
  cache: string;
}

/** Never uses the network: what is not on this machine is left out, and the reason stands in the report. */
export function textSource(places: Places): TextSource {
  return {
    async run({ file, record }) {
      if (record.run === undefined)
        return { note: `Hits are not shown: ${file} names no file that holds them.` };
      const runFile = path.join(path.dirname(file), record.run.name);
      return orNote('Hits are not shown', async () => {
        if ((await hashFile(runFile)) !== record.run!.sha256) {
          return { note: `Hits are not shown: ${runFile} is not the file that ${file} was made with.` };
        }
        return { run: (await readRun(runFile)).run };
      });
    },
    async texts({ record }, queryIds, passageIds) {
      return orNote('Texts are not shown, only ids', async () => {
        const dataset = await openDataset(record, places);
        const changed = whatChanged(dataset, record);
        if (changed !== undefined) return { note: `Texts are not shown, only ids: ${changed}` };
        const split = record.dataset.split as Split;
        const queries = (await dataset.queries(split)).filter(({ queryId }) => queryIds.has(queryId));
        return {
          queries: new Map<string, Query>(queries.map((query) => [query.queryId, query])),
          passages: await passageTexts(dataset, passageIds),
          qrels: await qrelsOf(dataset, split, queryIds),
        };
      });
    },
  };
}

/** An error that the user can act on becomes a note; a bug stays one. */
async function orNote<T extends object>(what: string, read: () => Promise<T>): Promise<T | { note: string }> {
  try {
    return await read();
  } catch (error) {
    const message = error instanceof BenchError ? error.message : fileMessage(error);
    if (message === undefined) throw error;
    return { note: `${what}: ${message}` };
  }
}

function fileMessage(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR' ? message : undefined;
}

async function openDataset({ dataset }: RunRecord, { data, cache }: Places): Promise<Dataset> {
  const { name } = openedOf(dataset);
  const folder = typeof data === 'object' ? data.get(name) : data;
  return openDatasetHere(name, cache, folder === undefined ? undefined : path.resolve(folder));
}

/** Distractors are no part of what is opened: their texts are not shown, only their ids. */
const openedOf = ({ name, version, distractors }: RunRecord['dataset']) =>
  distractors === undefined ? { name, version } : distractors.to;

function whatChanged(found: Dataset, { dataset }: RunRecord): string | undefined {
  const { version } = openedOf(dataset);
  if (found.version !== version)
    return `${found.name} is here in version ${found.version}, and the record is of version ${version}.`;
  const hashes = new Map(found.files.map(({ name, sha256 }) => [name, sha256]));
  const other = dataset.files.find(({ name, sha256 }) => hashes.get(name) !== sha256);
  return other && `${other.name} of ${found.name} is not the file that the record was made with.`;
}

async function qrelsOf(dataset: Dataset, split: Split, queryIds: ReadonlySet<string>): Promise<Qrels> {
  const qrels = await dataset.qrels(split);
  return qrelsById(qrels.filter(({ queryId }) => queryIds.has(queryId)));
}
