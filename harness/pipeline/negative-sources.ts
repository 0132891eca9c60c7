/** Where the hard negatives of a training come from, and further examples: the dataset, BM25, files. */
import { stat } from 'node:fs/promises';
import type { BenchConfig } from '../config/config.js';
import type { DataFile, Dataset, Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import { dprExamplePassages, readDprExamples } from '../interchange/dpr-training.js';
import { beginsArray } from '../interchange/json-array.js';
import { namesPositives, readNegatives } from '../interchange/negatives.js';
import { codeOf } from '../program/code.js';
import type { Progress } from '../progress.js';
import { describeFile } from '../store/hash.js';
import type { NegativeSource } from '../train/examples.js';
import { rankPool } from '../train/rank-pool.js';
import { bm25NegativesCode, bm25NegativesStage } from './bm25-negatives.js';
import { negativesFile } from './negatives-file.js';
import type { Prepared } from './prepare.js';
import { scoringOf } from './sparse-index.js';

/** The sources of one training. */
export interface ChosenNegatives {
  /** Whether they were asked for by name rather than being the usual ones. */
  named: boolean;
  /** Whether some of them are sets of examples, which stand behind the dataset's own. */
  addsExamples: boolean;
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
  addsExamples?: true;
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
  const usual = wanted === 0 ? [] : [usualSource(dataset)];
  const sources: OneSource[] = [];
  for (const name of names ?? usual) {
    if (name === 'dataset') sources.push(ownNegatives(dataset));
    else if (name === 'bm25') sources.push(bm25Negatives(prepared, progress));
    else sources.push(await sourceOfFile(name, dataset, config.stage2.examples));
  }
  return {
    named: names !== undefined,
    addsExamples: sources.some(({ addsExamples }) => addsExamples),
    identity: sources.map(({ identity }) => identity),
    described: sources.map(({ described }) => described),
    of: (split) => Promise.all(sources.map((source) => source.of(split))),
  };
}

/** Where negatives come from if nobody says. */
export const usualSource = ({ negatives }: Dataset): string => (negatives === undefined ? 'bm25' : 'dataset');

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
export const bm25Asked = ({ config }: Pick<Prepared, 'config'>) => ({
  scoring: scoringOf(config),
  count: bm25Count,
  depth: bm25Depth,
});

function bm25Negatives(prepared: Prepared, progress: Progress): OneSource {
  const { dataset, store, config } = prepared;
  const options = bm25Asked(prepared);
  return {
    identity: { source: 'bm25', ...options, code: bm25NegativesCode(dataset) },
    described: { name: 'bm25' },
    async of(split) {
      const wanted = Math.max(
        config.train.negatives,
        split === 'dev' ? (rankPool(config.train)?.hard ?? 0) : 0,
      );
      if (wanted === 0 || (await dataset.queries(split)).length === 0)
        return { name: 'bm25', negatives: new Map() };
      const { memoryMiB } = config.search;
      const mined = await bm25NegativesStage({ dataset, store, split, memoryMiB, ...options }, progress);
      const { negatives } = await readNegatives(negativesFile(mined.folder));
      return { name: "BM25's negatives", negatives, copies: mined.facts.copies };
    },
  };
}

/**
 * What can be known of named sources before the dataset is open.
 * @throws BenchError PATH_INVALID for a file that is not there
 */
export async function assertNegatives(names: readonly string[]): Promise<void> {
  for (const name of names) if (name !== 'dataset' && name !== 'bm25') await assertFile(name);
}

async function assertFile(file: string): Promise<void> {
  if (/\.(pkl|pickle)(\.gz)?$/i.test(file)) {
    throw new BenchError('CONFIG_INVALID', `--negatives ${file} cannot be used: pickles are not read.`, {
      hint: 'Give lines of query<TAB>passage, best first, as bench mine writes them; for the scores of Sentence-Transformers --dataset ms-marco/sbert.',
    });
  }
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) {
    const what = found === undefined ? 'there is no such file' : 'it is not a file';
    throw new BenchError('PATH_INVALID', `--negatives ${file} cannot be used: ${what}.`, {
      hint: "Give files that bench mine wrote or training files of DPR, 'dataset' for the dataset's own negatives, or 'bm25'.",
    });
  }
}

async function sourceOfFile(
  file: string,
  dataset: Dataset,
  examples: BenchConfig['stage2']['examples'],
): Promise<OneSource> {
  await assertFile(file);
  const described = await describeFile(file);
  const { name, sha256 } = described;
  if (await beginsArray(file, 'DATA_INVALID')) {
    return {
      addsExamples: true,
      identity: {
        source: "DPR's training file",
        sha256,
        code: codeOf(['harness/interchange/dpr-training.js']),
      },
      described,
      // The file says nothing of dev.
      of: async (split) => (split === 'train' ? dprSource(file, name) : { name, negatives: new Map() }),
    };
  }
  const isSet = await namesPositives(file);
  const addsExamples = isSet && examples === 'concatenated';
  return {
    ...(addsExamples && { addsExamples }),
    identity: {
      source: 'file',
      sha256,
      code: codeOf(['harness/interchange/negatives.js']),
      ...(isSet && { examples }),
    },
    described,
    async of(split) {
      const { negatives, positives } = await readNegatives(file);
      if (split !== 'train') return { name, negatives };
      refuseStrangers(file, negatives, dataset, await dataset.queries(split));
      return { name, negatives, ...(addsExamples && { positives: positives! }) };
    },
  };
}

/** A file of questions with passages and all: further examples, as DPR trains on several such files. */
async function dprSource(file: string, name: string): Promise<NegativeSource> {
  const { queries, positives, negatives } = await readDprExamples(file);
  return { name, negatives, positives, own: { queries, passages: () => dprExamplePassages(file) } };
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
