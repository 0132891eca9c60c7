/**
 * The open-domain question answering sets of DPR (Karpukhin et al. 2020) over 21 million passages of Wikipedia: Natural
 * Questions, TriviaQA and SQuAD v1.1. A hit counts when its text holds an answer; the test questions have no qrels.
 */
import path from 'node:path';
import type { Dataset, DatasetPlugin, DatasetRequest, Query, Split } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { inspect } from '../harness/interchange/inspection.js';
import { passagesAt, writePlaces } from '../harness/interchange/passage-places.js';
import { isPacked } from '../harness/interchange/text-blocks.js';
import { assertFolder, describeAll, fileOf, remembered } from './collection/files.js';
import { placedPassages } from './collection/placed.js';
import { filesOf, layoutOf, passageCount as publishedCount, variants } from './dpr/files.js';
import { passageEnds, passagesIn, passagesOf, questionsOf } from './dpr/passages.js';
import { readTraining, type TrainingSplit, trainingPassagesOf } from './dpr/training.js';

const empty: TrainingSplit = {
  queries: [],
  qrels: [],
  negatives: new Map(),
  others: new Map(),
  withoutPositive: 0,
};

function assertVariant(variant: string | undefined): asserts variant is string {
  if (variant !== undefined) return;
  throw new BenchError('UNKNOWN_NAME', 'dpr is three datasets, and one has to be named.', {
    hint: `Write ${variants.map((each) => `dpr/${each}`).join(', ')}.`,
  });
}

async function open(request: DatasetRequest): Promise<Dataset> {
  const { folder, variant } = request;
  assertVariant(variant);
  const layout = layoutOf(variant);
  if (folder !== undefined) await assertFolder(folder, layout);
  const downloads = filesOf(variant);
  const need = async (name: 'passages' | 'test') => {
    const file = await fileOf(request, downloads[name]);
    if (file !== undefined) return file;
    throw new BenchError('PATH_INVALID', `There is no ${downloads[name].name} in ${folder}.`, {
      hint: layout,
    });
  };
  const passages = await need('passages');
  const test = await need('test');
  const training = {
    train: await fileOf(request, downloads.train),
    dev: await fileOf(request, downloads.dev),
  };
  const files = [passages, test, training.train, training.dev].filter((file) => file !== undefined);

  const inspected = () =>
    remembered(request, 'dpr inspection 2', [passages], () =>
      inspect(
        () => passagesOf(passages),
        new Set(),
        (line) => `${path.basename(passages)}, line ${line}`,
      ),
    );
  // What was fetched is, by its hash, the file whose passages have been counted.
  // It is packed as well: none of its passages can be begun with.
  const { passageCount, starts } =
    folder === undefined ? { passageCount: publishedCount, starts: [] } : await inspected();
  if (passageCount === 0)
    throw new BenchError('DATA_INVALID', `${passages} holds no passages.`, { hint: layout });

  const { keepFile } = request;
  const hasPlaces = keepFile !== undefined && !(await isPacked(passages));
  let places: Promise<string> | undefined;
  /** Every run is measured by its hits, few among 21 million passages. */
  async function* at(ordinals: Iterable<number>) {
    places ??= keepFile!('dpr places 1', [passages], (file, told) =>
      writePlaces(file, passageEnds(passages), told),
    );
    yield* passagesAt({ file: passages, places: await places, passagesIn }, ordinals);
  }

  const read = new Map<Split, Promise<TrainingSplit>>();
  const trainingOf = (split: 'train' | 'dev'): Promise<TrainingSplit> => {
    const file = training[split];
    if (file === undefined) return Promise.resolve(empty);
    let made = read.get(split);
    if (made === undefined) {
      made = readTraining(file, split);
      read.set(split, made);
    }
    return made;
  };
  const remarks: string[] = [];
  if (training.train === undefined)
    remarks.push(
      `There is no ${downloads.train.name.replace(/\.gz$/, '')}: nothing can be trained on this folder.`,
    );
  for (const split of ['train', 'dev'] as const) {
    const file = training[split];
    if (file === undefined) continue;
    const dropped = await remembered(
      request,
      'dpr questions without a positive 1',
      [file],
      async () => (await trainingOf(split)).withoutPositive,
    );
    if (dropped > 0)
      remarks.push(
        split === 'train'
          ? `${dropped} train questions have no positive passage: nothing is trained on them but what is mined for them.`
          : `${dropped} dev questions have no positive passage and are left out, as DPR does.`,
      );
  }
  let questions: Promise<Query[]> | undefined;
  return {
    name: `dpr/${variant}`,
    version: '1-2',
    licence: 'CC BY-NC 4.0',
    files: await describeAll(request, files),
    passageCount,
    answerMatching: 'string',
    remarks,
    passages: () =>
      placedPassages((start) => passagesOf(passages, start), starts, hasPlaces ? at : undefined),
    async queries(split) {
      if (split !== 'test') return (await trainingOf(split)).queries;
      questions ??= questionsOf(test, 'test');
      return questions;
    },
    qrels: async (split) => (split === 'test' ? [] : (await trainingOf(split)).qrels),
    ...((training.train ?? training.dev) !== undefined && {
      negatives: async (split: Split) => (split === 'test' ? new Map() : (await trainingOf(split)).negatives),
      otherNegatives: async () => (await trainingOf('dev')).others,
    }),
    async *trainingPassages(split) {
      if (split === 'test') return;
      const file = training[split];
      if (file !== undefined) yield* trainingPassagesOf(file, split);
    },
  };
}

const dpr: DatasetPlugin = {
  summary:
    'DPR: Natural Questions, TriviaQA, SQuAD v1.1 over 21 million Wikipedia passages (7 to 8 GB download)',
  variants,
  variantOnly: true,
  downloads(variant) {
    if (variant === undefined) return [filesOf(variant).passages];
    const { passages, train, dev, test } = filesOf(variant);
    return [passages, train, dev, test];
  },
  open,
};

export default dpr;
