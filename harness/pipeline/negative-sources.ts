/** Where the hard negatives of a training come from, and further examples: the dataset, BM25, files. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import type { DataFile, Dataset, Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import { dprExamplePassages, readDprExamples } from '../interchange/dpr-training.js';
import { beginsArray } from '../interchange/json-array.js';
import { namesPositives, readNegatives } from '../interchange/negatives.js';
import { codeOf } from '../program/code.js';
import { bm25Negatives } from '../stages/bm25-negatives.js';
import { given } from '../stages/given.js';
import type { Need, Stage, Workplace } from '../stages/graph.js';
import { indexTerms, scoringOf } from '../stages/index-terms.js';
import type { Known } from '../stages/known.js';
import { describeFile } from '../store/hash-once.js';
import type { NegativeSource } from '../train/examples.js';
import { rankPool } from '../train/rank-pool.js';
import { negativesFile } from './negatives-file.js';

/** The sources of one training. */
export interface ChosenNegatives {
  /** Whether they were asked for by name rather than being the usual ones. */
  named: boolean;
  /** Whether some of them are sets of examples, which stand behind the dataset's own. */
  addsExamples: boolean;
  /** What tells them from others, beside what they need. */
  identity: readonly object[];
  /** Stages that find them, files that other stages have left. */
  needs: Readonly<Record<string, Need>>;
  /** For the record: `dataset`, `bm25`, or a file with its hash. */
  described(at: Workplace): Promise<Described[]>;
  /** Reads them, or makes them. */
  of(split: Split, at: Workplace): Promise<NegativeSource[]>;
}

type Described = Partial<DataFile> & { name: string };

interface OneSource {
  addsExamples?: true;
  identity: object;
  needs?: Readonly<Record<string, Need>>;
  described(at: Workplace): Promise<Described>;
  of(split: Split, at: Workplace): Promise<NegativeSource>;
}

/** @param stage found examples by a model: in two stages of training those of the first */
export interface MinedSource {
  stage: Stage;
}

/**
 * @param names `dataset`, `bm25`, files, and what is mined; where absent the dataset's own, or BM25's where it ships none
 * @throws BenchError PATH_INVALID for a file that is not there, CONFIG_INVALID for a source that cannot be had
 */
export async function chooseNegatives(
  config: BenchConfig,
  known: Known,
  names: readonly (string | MinedSource)[] | undefined,
): Promise<ChosenNegatives> {
  const wanted = Math.max(config.train.negatives, rankPool(config.train)?.hard ?? 0);
  const sources: OneSource[] = [];
  for (const name of names ?? (wanted === 0 ? [] : [usualSource(known.dataset)])) {
    if (typeof name !== 'string') sources.push(minedExamples(name.stage, config));
    else if (name === 'dataset') sources.push(ownNegatives(known));
    else if (name === 'bm25') sources.push(bm25Source(config, known));
    else if (known.told) sources.push(await sourceOfFile(name, config));
    else sources.push(byName(name));
  }
  return {
    named: names !== undefined,
    addsExamples: sources.some(({ addsExamples }) => addsExamples),
    identity: sources.map(({ identity }) => identity),
    needs: Object.fromEntries(
      sources.flatMap(({ needs = {} }, i) =>
        Object.entries(needs).map(([name, need]) => [`negatives ${i + 1}${name}`, need]),
      ),
    ),
    described: (at) => Promise.all(sources.map((source) => source.described(at))),
    of: (split, at) => Promise.all(sources.map((source) => source.of(split, at))),
  };
}

/** Where negatives come from if nobody says. */
export const usualSource = ({ shipsNegatives }: Pick<Known['dataset'], 'shipsNegatives'>): string =>
  shipsNegatives === true ? 'dataset' : 'bm25';

function ownNegatives({ dataset: { name, shipsNegatives } }: Known): OneSource {
  if (shipsNegatives === false) {
    throw new BenchError('CONFIG_INVALID', `--negatives dataset: ${name} ships no hard negatives.`, {
      hint: 'Leave it out, or give bm25 or a file that bench mine wrote.',
    });
  }
  return {
    identity: { source: 'dataset' },
    described: async () => ({ name: 'dataset' }),
    of: async (split, { dataset }) => ({
      name: `the negatives of ${name}`,
      negatives: await dataset.negatives!(split),
    }),
  };
}

/** A file before it is looked at. */
const byName = (name: string): OneSource => ({
  identity: { source: 'file', name },
  described: () => Promise.reject(new TypeError(`${name} is not looked at yet`)),
  of: () => Promise.reject(new TypeError(`${name} is not looked at yet`)),
});

/** BM25 negatives kept per query, and hits looked at for them: as many as DPR's files hold. */
export const bm25Asked = (config: Pick<BenchConfig, 'bm25'>) => ({
  ...{ scoring: scoringOf(config), count: 100, depth: 200 },
});

function bm25Source(config: BenchConfig, known: Known): OneSource {
  const asked = bm25Asked(config);
  const index = indexTerms(asked.scoring, known);
  const found = {
    train: bm25Negatives(index, { ...asked, split: 'train' }, known),
    dev: bm25Negatives(index, { ...asked, split: 'dev' }, known),
    test: undefined,
  };
  return {
    identity: { source: 'bm25' },
    needs: { ' for train': found.train, ' for dev': found.dev },
    described: async () => ({ name: 'bm25' }),
    async of(split, at) {
      const { negatives } = config.train;
      const wanted = Math.max(negatives, split === 'dev' ? (rankPool(config.train)?.hard ?? 0) : 0);
      const stage = found[split];
      if (stage === undefined || wanted === 0 || (await at.dataset.queries(split)).length === 0)
        return { name: 'bm25', negatives: new Map() };
      const { folder, facts } = await at.made(stage);
      const read = await readNegatives(negativesFile(folder));
      return { name: "BM25's negatives", negatives: read.negatives, copies: facts.copies };
    },
  };
}

function minedExamples(stage: Stage, { stage2: { examples } }: BenchConfig): OneSource {
  const addsExamples = examples === 'concatenated';
  const fileIn = async (at: Workplace) => negativesFile((await at.made(stage)).folder);
  return {
    ...(addsExamples && { addsExamples }),
    identity: { source: 'file', ...readingCode(), examples },
    needs: { '': stage },
    described: async (at) => describeFile(await fileIn(at)),
    of: async (split, at) => fromFile(await fileIn(at), split, at, addsExamples),
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

const readingCode = () => ({ code: codeOf(['harness/interchange/negatives.js']) });

async function sourceOfFile(file: string, { stage2: { examples } }: BenchConfig): Promise<OneSource> {
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
      described: async () => described,
      // The file says nothing of dev.
      of: async (split) => (split === 'train' ? dprSource(file, name) : { name, negatives: new Map() }),
    };
  }
  const isSet = await namesPositives(file);
  const addsExamples = isSet && examples === 'concatenated';
  const folder = path.dirname(file);
  // A file that lies as a stage left it is what that stage made.
  const isMined = path.join(file) === negativesFile(folder);
  return {
    ...(addsExamples && { addsExamples }),
    identity: { source: 'file', ...readingCode(), ...(isSet && { examples }) },
    needs: { '': isMined ? await given(folder, async () => sha256) : { folder, key: sha256 } },
    described: async () => described,
    of: (split, at) => fromFile(file, split, at, addsExamples),
  };
}

async function fromFile(
  file: string,
  split: Split,
  { dataset }: Workplace,
  addsExamples: boolean,
): Promise<NegativeSource> {
  const { negatives, positives } = await readNegatives(file);
  const { base: name } = path.parse(file);
  if (split !== 'train') return { name, negatives };
  refuseStrangers(file, negatives, dataset, await dataset.queries(split));
  return { name, negatives, ...(addsExamples && { positives: positives! }) };
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
