/** A dataset with distractors: opened, chosen once for the largest collection that is asked for, and kept in the cache. */
import path from 'node:path';
import type { Dataset } from '../contracts.js';
import { growDataset } from '../dataset/grown.js';
import { datasetIdentity } from '../dataset/identity.js';
import { BenchError } from '../errors.js';
import type { Progress } from '../progress.js';
import { stageCode } from '../stages/code.js';
import { keyOf } from '../store/hash.js';
import type { Store } from '../store/store.js';
import { type Order, orderOf, placed, relevantIds, type Standing, standingIn } from './distractors/choose.js';
import { readPassageFile, writePlaced } from './distractors/passage-file.js';

/** How many distractors one run has, and where they come from. */
export interface DistractorsChoice {
  count: number;
  /** Of the largest collection of the sweep: what smaller ones share with it is encoded once. */
  largest: number;
  /** Absent where they are the dataset's own passages, of which its test queries need none. */
  from?: { dataset: string; data?: string };
}

interface ChosenFacts {
  leftOut: Order['leftOut'];
  /** Passages of the base. */
  standing: number;
  /** Passages that could be distractors. */
  available: number;
}

/**
 * @param source where they come from; absent where they are passages of `whole`
 * @throws BenchError USAGE, DATA_INVALID where there are not as many, or it is not known which passages are none
 */
export async function withDistractors(
  whole: Dataset,
  source: Dataset | undefined,
  { count, largest }: Pick<DistractorsChoice, 'count' | 'largest'>,
  store: Store,
  progress: Progress,
): Promise<Dataset> {
  const from = source ?? whole;
  const [own, its] = [datasetIdentity(whole), datasetIdentity(from)];
  if (source !== undefined && keyOf(own) === keyOf(its)) {
    throw new BenchError('USAGE', `The distractors of ${whole.name} would be its own passages.`, {
      hint: 'Leave --distractors-from out: its passages that no test query needs are then added to those that are needed.',
    });
  }
  if (largest > from.passageCount) throw tooFew(from.name, largest, from.passageCount, 'passages');
  const relevant = await relevantIds(whole);
  if (source === undefined && relevant.size === 0) {
    throw new BenchError(
      'DATA_INVALID',
      `${whole.name} has no qrels for its test queries, so which of its passages they need is not known.`,
      { hint: 'Take distractors of another collection: --distractors-from DATASET.' },
    );
  }
  const code = stageCode('distractors', { dataset: whole });
  const sourceCode = stageCode('dataset', { dataset: from });
  const inputs = {
    made: 'distractors 1',
    ...{ dataset: own, from: source === undefined ? null : its, largest },
    ...{ code, source: sourceCode },
  };
  const fileIn = (folder: string) => path.join(folder, 'passages.jsonl');
  const { facts, folder, key } = await store.artifact<ChosenFacts>(
    'findings',
    inputs,
    (made) => store.hashes.during(() => choose(fileIn(made), { whole, source, relevant, largest, progress })),
    { dataset: whole.name },
  );
  return growDataset({
    ...{ whole, source, count, largest, chosenKey: key, sourceKey: keyOf(its) },
    code: { code, source: sourceCode },
    ...(source === undefined && { needed: relevant, neededCount: facts.standing }),
    leftOut: facts.leftOut,
    chosen: () => readPassageFile(fileIn(folder)),
  });
}

interface Choosing {
  whole: Dataset;
  source: Dataset | undefined;
  relevant: ReadonlySet<string>;
  largest: number;
  progress: Progress;
}

async function choose(
  file: string,
  { whole, source, relevant, largest, progress }: Choosing,
): Promise<ChosenFacts> {
  const from = source ?? whole;
  const stage = progress.stage(
    'choose distractors',
    whole.passageCount + from.passageCount + largest,
    'passages read',
  );
  let read = 0;
  const seen = () => {
    if (++read % 1024 !== 0) return;
    stage.update(read);
    progress.checkInterrupted();
  };
  const standing: Standing = await standingIn(whole.passages(), relevant, source === undefined, seen);
  if (standing.passages === 0) {
    throw new BenchError(
      'DATA_INVALID',
      `${whole.name} has none of the passages that its test queries need.`,
      { hint: 'Take distractors of another collection: --distractors-from DATASET.' },
    );
  }
  const order = await orderOf(from.passages(), standing, source === undefined, seen);
  const available = order.sorted.length;
  if (largest > available) throw tooFew(from.name, largest, available, 'passages that could be distractors');
  // Two collections may number their passages alike.
  const named = source === undefined ? (id: string) => id : (id: string) => `${source.name}/${id}`;
  await writePlaced(file, renamed(placed(from.passages(), order, largest), named, seen));
  stage.end();
  return { leftOut: order.leftOut, standing: standing.passages, available };
}

async function* renamed(
  chosen: ReturnType<typeof placed>,
  named: (passageId: string) => string,
  seen: () => void,
): ReturnType<typeof placed> {
  for await (const { place, passage } of chosen) {
    seen();
    yield { place, passage: { ...passage, passageId: named(passage.passageId) } };
  }
}

function tooFew(name: string, asked: number, there: number, what: string): BenchError {
  const say = (value: number) => value.toLocaleString('en-US');
  return new BenchError(
    'DATA_INVALID',
    `${say(asked)} distractors are asked for, and ${name} has ${say(there)} ${what}.`,
    { hint: 'Ask for fewer, or take them from a larger collection: --distractors-from DATASET.' },
  );
}
