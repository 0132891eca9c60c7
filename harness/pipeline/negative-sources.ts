/** Where the hard negatives of a training come from, and further examples: the dataset, BM25, files. */
import type { BenchConfig } from '../config/config.js';
import type { Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import { negativesFile, readNegatives } from '../interchange/negatives.js';
import { bm25Negatives } from '../stages/bm25-negatives.js';
import type { Need, Stage, Workplace } from '../stages/graph.js';
import { indexTerms, scoringOf } from '../stages/index-terms.js';
import type { Known } from '../stages/known.js';
import type { NegativeSource } from '../train/examples.js';
import { rankPool } from '../train/rank-pool.js';
import { byName, type Described, minedExamples, type OneSource, sourceOfFile } from './negatives-in-files.js';

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
