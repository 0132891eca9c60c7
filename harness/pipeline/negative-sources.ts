/** Where the hard negatives of a training come from: the dataset, BM25, files that were mined. */
import { stat } from 'node:fs/promises';
import type { DataFile, Dataset, Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import { readNegatives } from '../interchange/negatives.js';
import { loadSparse } from '../plugins.js';
import type { Progress } from '../progress.js';
import { describeFile } from '../store/hash.js';
import type { NegativeSource } from '../train/examples.js';
import { rankPool } from '../train/rank-pool.js';
import { bm25NegativesStage, negativesFile } from './bm25-negatives.js';
import type { Prepared } from './prepare.js';
import { scoringOf } from './sparse-index.js';

/** The sources of one training. */
export interface ChosenNegatives {
  /** Whether they were asked for by name rather than being the usual ones. */
  named: boolean;
  /** What tells them from others; a part of the checkpoint's key. */
  identity: readonly object[];
  /** For the record: `dataset`, `bm25`, or a file with its hash. */
  described: readonly (Partial<DataFile> & { name: string })[];
  /** Reads them, or makes them. */
  of(split: Split): Promise<NegativeSource[]>;
}

/** BM25 negatives kept per query, and hits looked at for them: as many as DPR's files hold. */
const bm25Count = 100;
const bm25Depth = 200;

interface OneSource {
  identity: object;
  described: Partial<DataFile> & { name: string };
  of(split: Split): Promise<NegativeSource>;
}

/**
 * @param names `dataset`, `bm25`, and files; where absent the dataset's own, or BM25's where it ships none
 * @throws BenchError PATH_INVALID for a file that is not there, CONFIG_INVALID for a source that cannot be had
 */
export async function chooseNegatives(
  prepared: Prepared,
  names: readonly string[] | undefined,
  progress: Progress,
): Promise<ChosenNegatives> {
  const { dataset, config } = prepared;
  const wanted = Math.max(config.train.negatives, rankPool(config.train)?.hard ?? 0);
  const usual = wanted === 0 ? [] : [dataset.negatives === undefined ? 'bm25' : 'dataset'];
  const sources: OneSource[] = [];
  for (const name of names ?? usual) {
    if (name === 'dataset') sources.push(ownNegatives(dataset));
    else if (name === 'bm25') sources.push(await bm25Negatives(prepared, progress));
    else sources.push(await negativesOfFile(name, dataset));
  }
  return {
    named: names !== undefined,
    identity: sources.map(({ identity }) => identity),
    described: sources.map(({ described }) => described),
    of: (split) => Promise.all(sources.map((source) => source.of(split))),
  };
}

function ownNegatives(dataset: Dataset): OneSource {
  if (dataset.negatives === undefined) {
    throw new BenchError('CONFIG_INVALID', `--negatives dataset: ${dataset.name} ships no hard negatives.`, {
      hint: 'Leave it out, or give bm25 or a file that bench mine wrote.',
    });
  }
  return {
    identity: { source: 'dataset' },
    described: { name: 'dataset' },
    of: async (split) => ({
      name: `the negatives of ${dataset.name}`,
      negatives: await dataset.negatives!(split),
    }),
  };
}

/** What BM25 negatives are made with, and how many of how many hits are kept. */
export async function bm25Asked({ config }: Pick<Prepared, 'config'>) {
  const scoring = scoringOf((await loadSparse('bm25'))!, config);
  return { scoring, count: bm25Count, depth: bm25Depth };
}

async function bm25Negatives(prepared: Prepared, progress: Progress): Promise<OneSource> {
  const { dataset, store, config } = prepared;
  const options = await bm25Asked(prepared);
  return {
    identity: { source: 'bm25', ...options },
    described: { name: 'bm25' },
    async of(split) {
      if ((await dataset.queries(split)).length === 0) return { name: 'bm25', negatives: new Map() };
      const { memoryMiB } = config.search;
      const mined = await bm25NegativesStage({ dataset, store, split, memoryMiB, ...options }, progress);
      return { name: "BM25's negatives", negatives: await readNegatives(negativesFile(mined.folder)) };
    },
  };
}

async function negativesOfFile(file: string, dataset: Dataset): Promise<OneSource> {
  if (/\.(pkl|pickle)(\.gz)?$/i.test(file)) {
    throw new BenchError('CONFIG_INVALID', `--negatives ${file} cannot be used: pickles are not read.`, {
      hint: 'Give lines of query<TAB>passage, best first, as bench mine writes them; for the scores of Sentence-Transformers --dataset ms-marco/sbert.',
    });
  }
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) {
    const what = found === undefined ? 'there is no such file' : 'it is not a file';
    throw new BenchError('PATH_INVALID', `--negatives ${file} cannot be used: ${what}.`, {
      hint: "Give files that bench mine wrote, 'dataset' for the dataset's own negatives, or 'bm25'.",
    });
  }
  const described = await describeFile(file);
  return {
    identity: { source: 'file', sha256: described.sha256 },
    described,
    async of(split) {
      const negatives = await readNegatives(file);
      if (split === 'train') refuseStrangers(file, negatives, dataset, await dataset.queries(split));
      return { name: described.name, negatives };
    },
  };
}

/** A file none of whose queries is trained on is a mistake; one that also has others is not. */
function refuseStrangers(
  file: string,
  negatives: ReadonlyMap<string, unknown>,
  dataset: Dataset,
  queries: readonly { queryId: string }[],
): void {
  if (queries.some(({ queryId }) => negatives.has(queryId))) return;
  const [first] = negatives.keys();
  throw new BenchError(
    'DATA_INVALID',
    `${file} has negatives for none of the training queries of ${dataset.name}.`,
    {
      hint: `Its query ids look like '${first ?? ''}', those of the dataset like '${queries[0]?.queryId ?? ''}'.`,
    },
  );
}
