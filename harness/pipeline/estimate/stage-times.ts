/** How long a stage takes, worked out from what a little of it took. */

import type { BenchConfig } from '../../config/config.js';
import { counted } from '../../counted.js';
import type { Stage } from '../../stages/graph.js';
import type { Trainings } from '../../stages/training.js';
import { isFlat } from '../built-index.js';
import { examplesOf } from '../example-sizes.js';
import type { DenseRates } from './dense-rates.js';
import { latencyTime } from './latency-time.js';
import type { WholeSizes } from './part-of-dataset.js';
import type { StageTime } from './stage-time.js';
import type { NegativesRates, TermRates } from './term-rates.js';
import { spell } from './timed.js';
import type { TrainRates } from './train-rates.js';

export const ofKind = (kind: Stage['kind']) => (graph: readonly Stage[]) =>
  graph.filter((stage) => stage.kind === kind);
export const encodes = ({ task }: Stage) => task === 'encode';
export const named = (name: string) => (graph: readonly Stage[]) =>
  graph.filter((stage) => stage.name === name);

export function negativesTime(rates: NegativesRates, whole: WholeSizes): StageTime {
  const { passages, queries } = whole;
  const asked = queries.train + queries.dev;
  const seconds = passages * (rates.secondsPerPassage + asked * rates.secondsPerQuery);
  const basis = `${counted(asked, 'queries')} in BM25's index; measured now on ${counted(rates.queries, 'queries')}`;
  return { stage: 'negatives', seconds, basis, makes: named('negatives') };
}

/** The times of one training, or of two with examples mined in between. */
export function trainStages(
  rates: TrainRates | undefined,
  dense: DenseRates,
  whole: WholeSizes,
  trainings: Trainings,
): StageTime[] {
  const { first, config } = trainings;
  const checkpoints = ofKind('checkpoints');
  if (first === undefined)
    return [{ ...trainingTime('train', rates, whole, trainings, 1), makes: checkpoints }];
  const tried = first.tried.length;
  const mining = encodeTime(dense, whole);
  const asked = searchSeconds(dense, whole, whole.queries.train);
  const mine: StageTime = {
    stage: 'mine',
    seconds: mining.seconds! + asked,
    basis: `${counted(whole.passages, 'passages')} encoded, ${counted(whole.queries.train, 'queries')} searched, ${counted(config.stage2.depth, 'hits')} each`,
    makes: named('mine'),
  };
  return [
    {
      ...trainingTime('train', rates, whole, first, 1),
      makes: (graph) => checkpoints(graph).slice(0, tried),
    },
    mine,
    {
      ...trainingTime('train again', rates, whole, trainings, 2),
      makes: (graph) => checkpoints(graph).slice(tried),
    },
  ];
}

/** The time of a training with every value of a list of lambda. */
function trainingTime(
  stage: string,
  rates: TrainRates | undefined,
  whole: WholeSizes,
  { config, tried }: Trainings,
  which: 1 | 2,
): StageTime {
  const { epochs, batchSize, averageRankFrom } = config.train;
  if (epochs === 0) return { stage, seconds: 0, basis: 'no epoch' };
  const examples = examplesOf(config, whole, which);
  if (rates === undefined || examples === null)
    return { stage, seconds: null, basis: 'there is no query to train on' };
  const steps = Math.ceil(examples.value / batchSize);
  const { secondsPerQuery, secondsPerUpdate, startSeconds, secondsPerDevExample: dev } = rates;
  const stepSeconds = batchSize * secondsPerQuery + secondsPerUpdate;
  const ranked = averageRankFrom === null ? 0 : Math.max(0, epochs - averageRankFrom);
  const judging = whole.devExamples * ((epochs - ranked) * dev.crossEntropy + ranked * dev.averageRank);
  const stepping = epochs * (examples.value * secondsPerQuery + steps * secondsPerUpdate);
  const of =
    rates.batchSize === batchSize
      ? 'this shape'
      : `${rates.batchSize} of the ${counted(batchSize, 'queries')}`;
  const parts = [
    `${examples.atMost ? 'at most ' : ''}${counted(epochs * steps, 'steps')} of ${spell(stepSeconds)}, measured now on ${rates.steps} of ${of}`,
    ...(whole.devExamples === 0
      ? []
      : [
          `${counted(epochs, 'evaluations')} on dev of ${spell(judging / epochs)}, from ${rates.devExamples} of ${counted(whole.devExamples, 'examples')}`,
        ]),
    ...(tried.length > 1 ? [`all ${tried.length} times, for each lambda`] : []),
  ];
  return { stage, seconds: startSeconds + tried.length * (stepping + judging), basis: parts.join('; ') };
}

const encodeTime = ({ secondsPerPassage, encoded }: DenseRates, whole: WholeSizes): StageTime => ({
  stage: 'encode',
  seconds: whole.encoded * secondsPerPassage,
  basis: `${counted(whole.encoded, 'passages')} of ${spell(secondsPerPassage)}, measured now on ${counted(encoded, 'passages')}`,
  // Those of a first training are made while examples are mined; those that are joined of others take no time.
  makes: (graph) => ofKind('shards')(graph).filter(encodes).slice(-1),
});

/** Seconds of searching in batches. */
const searchSeconds = (
  { encodeQuery, searchPassage }: DenseRates,
  { passages }: WholeSizes,
  queries: number,
): number => queries * (encodeQuery.inBatch + passages * searchPassage.inBatch);

export function denseStages(dense: DenseRates, whole: WholeSizes, config: BenchConfig): StageTime[] {
  const { test: queries } = whole.queries;
  const { encodeQuery, searchPassage, searched, indexed } = dense;
  const encode = encodeTime(dense, whole);
  const flat = isFlat(config);
  const measuredOn = `measured now on ${counted(searched, 'queries')} in an index of ${counted(indexed, 'passages')}`;
  const alone = encodeQuery.alone + whole.passages * searchPassage.alone;
  const inBatch = encodeQuery.inBatch + whole.passages * searchPassage.inBatch;
  const kind = flat
    ? []
    : [
        {
          stage: 'index',
          seconds: null,
          basis: `how long ${config.index.kind} takes to build is not known beforehand`,
        },
      ];
  return [
    { ...encode, seconds: encode.seconds! + dense.startSeconds },
    ...kind,
    {
      stage: 'search',
      seconds: searchSeconds(dense, whole, queries),
      basis: `${counted(queries, 'queries')} of ${spell(inBatch)}, ${measuredOn}`,
      makes: (graph) => named('search')(graph).slice(-1),
    },
    latencyTime(config, queries, alone, inBatch),
  ];
}

export function sparseStages(rates: TermRates, whole: WholeSizes, config: BenchConfig): StageTime[] {
  const { secondsPerPassage, secondsPerSearch, indexed, searched } = rates;
  const { passages, queries } = whole;
  const each = passages * secondsPerSearch;
  return [
    {
      stage: 'index',
      seconds: passages * secondsPerPassage,
      basis: `${counted(passages, 'passages')}, measured now on ${counted(indexed, 'passages')}`,
      makes: ofKind('indexes'),
    },
    {
      stage: 'search',
      seconds: queries.test * each,
      basis: `${counted(queries.test, 'queries')} of ${spell(each)}, measured now on ${counted(searched, 'queries')} in an index of ${counted(indexed, 'passages')}`,
      makes: named('search'),
    },
    latencyTime(config, queries.test, each, each),
  ];
}
