/** Hard negatives, and further examples, that lie in files: mined by a stage, or handed in by a user. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import type { DataFile, Dataset, Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import { dprExamplePassages, readDprExamples } from '../interchange/dpr-training.js';
import { beginsArray } from '../interchange/json-array.js';
import { namesPositives, negativesFile, readNegatives } from '../interchange/negatives.js';
import { codeOf } from '../program/code.js';
import { given } from '../stages/given.js';
import type { Need, Stage, Workplace } from '../stages/graph.js';
import { describeFile } from '../store/hash-once.js';
import type { NegativeSource } from '../train/examples.js';

export type Described = Partial<DataFile> & { name: string };

/** One place that negatives come from. */
export interface OneSource {
  addsExamples?: true;
  identity: object;
  needs?: Readonly<Record<string, Need>>;
  described(at: Workplace): Promise<Described>;
  of(split: Split, at: Workplace): Promise<NegativeSource>;
}

/** A file before it is looked at. */
export const byName = (name: string): OneSource => ({
  identity: { source: 'file', name },
  described: () => Promise.reject(new TypeError(`${name} is not looked at yet`)),
  of: () => Promise.reject(new TypeError(`${name} is not looked at yet`)),
});

/** @param stage that mines them */
export function minedExamples(stage: Stage, { stage2: { examples } }: BenchConfig): OneSource {
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

/** @throws BenchError PATH_INVALID, CONFIG_INVALID */
export async function sourceOfFile(file: string, { stage2: { examples } }: BenchConfig): Promise<OneSource> {
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
