/** Which stages a system has, one after another: the order of a run stands here and nowhere else. */
import type { BenchConfig } from '../config/config.js';
import { parametersAsked } from '../config/index-parameters.js';
import type { Split } from '../contracts.js';
import type { QueryVectorFacts } from '../index/query-vectors.js';
import { identicalIdsOf } from '../pipeline/own-passages.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { devWinners, judged } from './dev-winners.js';
import { encode } from './encode.js';
import { encodeWeights } from './encode-weights.js';
import { type ModelNeed, type Need, onPart, type Stage } from './graph.js';
import { grownShards } from './grown-shards.js';
import { indexImpacts } from './index-impacts.js';
import { indexTerms, scoringOf } from './index-terms.js';
import { indexVectors } from './index-vectors.js';
import type { Known } from './known.js';
import { queries, type SomeQueries } from './queries.js';
import { queryWeights } from './query-weights.js';
import { recall } from './recall.js';
import { type RunFacts, type SearchSettings, search } from './search.js';
import { searchImpacts } from './search-impacts.js';
import { searchTerms } from './search-terms.js';

type SplitSettings = Required<SearchSettings>;

/** The stages of a system, as others read them; what these need hangs on them. */
export interface SystemStages {
  /** Leaves the hits of a split. */
  readonly run: Stage<RunFacts>;
  /** Absent where it has no vectors to score passages with. */
  readonly vectors?: { readonly shards: Need; readonly queries: Stage<QueryVectorFacts> };
  /** What its hits and its study are made of, in the order of a run. */
  readonly all: readonly Need[];
}

/** What a request asks of its test queries. */
export const askedOf = (
  { config }: { config: BenchConfig },
  { dataset }: Pick<Known, 'dataset'>,
  split: Split = 'test',
): SplitSettings => ({
  ...{ split, depth: config.search.depth },
  identicalIds: identicalIdsOf(config, dataset),
});

/** What gives passages and queries their vectors. */
export interface VectorSource {
  /** The name of the system. */
  readonly name: string;
  readonly hasWinners?: boolean;
  /** Shards of every passage. @param of what they are the passages of: the dataset, or one part of it */
  passages(of: Known): Stage;
  /** @param some of the split; all where absent */
  queries(split: Split, of: Known, some?: SomeQueries): Stage<QueryVectorFacts>;
}

/** @param handedIn shards that a user hands in; encoded where absent */
export const modelStages = (
  trained: ModelNeed,
  request: Pick<RunRequest, 'config' | 'seed'>,
  known: Known,
  asked: SplitSettings,
  handedIn?: Need,
) => {
  const { config } = request;
  // What it was trained on has no distractors.
  const model: ModelNeed = { ...trained, open: (at) => trained.open(at.of('whole')) };
  const source: VectorSource = {
    name: model.name,
    hasWinners: model.hasWinners ?? false,
    passages: (of) => encode(model, config, of),
    queries: (split, of, some) => queries(model, split, config, of, some),
  };
  return { ...vectorStages(source, request, known, asked, handedIn), model };
};

/**
 * A system of vectors, wherever these come from: encode -> queries -> index -> search.
 * @param shards a folder of them that a user hands in; encoded where absent
 */
export function vectorStages(
  source: VectorSource,
  { config, seed, distractors }: Pick<RunRequest, 'config' | 'seed' | 'distractors'>,
  known: Known,
  asked: SplitSettings,
  handedIn?: Need,
) {
  const { name: system, hasWinners = false } = source;
  const { encoding, encoded: parts } = encodings(source, known);
  // As where there are no distractors: the same artifact.
  const queriesOf = (split: Split, some?: SomeQueries) =>
    onPart(source.queries(split, known.parts?.base ?? known, some), 'base');
  const shards = handedIn ?? encoding;
  const { builder } = known;
  const index = builder && indexVectors(shards, config, seed, system, { ...known, builder });
  const encoded = queriesOf(asked.split);
  const searched = { system, queries: encoded, shards, index };
  // The same artifact that a run with the index Flat leaves.
  const exact = index && {
    ...search({ system, queries: encoded, shards }, asked, config, known),
    name: 'exact search',
  };
  const run = search(searched, asked, config, known);
  const points = index && [...pointsBefore(searched, asked, config, known), run];
  // A collection that begins with what the test queries need lacks passages of dev.
  const hasDev = distractors === undefined || distractors.from !== undefined;
  return {
    ...{ system, encoding, parts, shards, queries: encoded, index, exact, points, run },
    recall: exact && points && recall(system, points, exact, known),
    devWinners:
      hasWinners && hasDev
        ? devWinners({ ...searched, queries: queriesOf('dev', judged) }, known)
        : undefined,
  };
}

/** The shards of every passage; distractors are encoded by themselves, once for all collections that hold them. */
function encodings(
  source: Pick<VectorSource, 'name' | 'passages'>,
  known: Known,
): { encoding: Stage; encoded: readonly Stage[] } {
  if (known.parts === undefined) return { encoding: source.passages(known), encoded: [] };
  const { base, distractors, count } = known.parts;
  const first = onPart(source.passages(base), 'base');
  if (count === 0) return { encoding: first, encoded: [] };
  const others = { ...onPart(source.passages(distractors), 'distractors'), name: 'encode distractors' };
  const encoding = grownShards(first, others, count, source.name, known);
  return { encoding, encoded: [first, others] };
}

/** Hits by what a search of an index is told, without the last, which the run is measured with. */
function pointsBefore(...[searched, asked, config, known]: Parameters<typeof search>): Stage<RunFacts>[] {
  return parametersAsked(config.index).flatMap(({ name, values }) =>
    values.slice(0, -1).map((value) => ({
      ...search(searched, asked, config, known, value),
      name: `search, ${name} ${value}`,
    })),
  );
}

export const ofVectors = (stages: VectorStages): SystemStages => {
  const { shards, queries, index, exact, points = [], run, recall, devWinners } = stages;
  const all = [shards, queries, index, exact, ...points.slice(0, -1), run, recall, devWinners];
  return { run, vectors: { shards, queries }, all: all.filter((stage) => stage !== undefined) };
};

export type VectorStages = ReturnType<typeof vectorStages>;

/** BM25: index of terms -> search. */
export function termStages({ config }: Pick<RunRequest, 'config'>, known: Known, asked: SplitSettings) {
  const scoring = scoringOf(config);
  const index = indexTerms(scoring, known);
  return { scoring, index, run: searchTerms(index, { scoring, ...asked }, known) };
}

/** What weighs tokens, with what is known of it before it is opened. */
export interface WeightNeed extends ModelNeed {
  /** V; absent where the model is not looked at. */
  readonly tokens?: number;
  /** Weights of a text that count, the largest; all where undefined. */
  readonly kept: { readonly query: number | undefined; readonly passage: number | undefined };
}

/** A learned sparse system: encode -> queries -> index of impacts -> search. */
export function weightStages(
  model: WeightNeed,
  { config }: Pick<RunRequest, 'config'>,
  known: Known,
  asked: SplitSettings,
) {
  const { name: system, kept, tokens } = model;
  const source = { name: system, passages: (of: Known) => encodeWeights(model, config, of) };
  const { encoding, encoded: parts } = encodings(source, known);
  const queries = onPart(queryWeights(model, asked.split, config, known.parts?.base ?? known), 'base');
  const index = indexImpacts(encoding, { system, most: kept.passage, tokens }, known);
  const run = searchImpacts({ index, queries }, { system, ...asked, most: kept.query }, known);
  return { encoding, parts, queries, index, run };
}
