/** What is known of the outside when the stages of a request are put together: its dataset, its engine, its searchers. */
import type { BenchConfig } from '../config/config.js';
import type { Dataset, EncoderShape, GrownDataset } from '../contracts.js';
import { datasetIdentity } from '../dataset/identity.js';
import { succeeds } from '../errors.js';
import {
  auto,
  autoSearchers,
  flatSearcher,
  type NamedBuilder,
  namedSearcher,
} from '../pipeline/choose-searcher.js';
import type { DatasetChoice } from '../pipeline/open-dataset.js';
import type { Code } from '../program/code.js';
import { computeClass } from '../program/compute-class.js';
import type { Progress } from '../progress.js';
import { flatKind } from '../search/searcher.js';
import { canonicalJson } from '../store/hash.js';
import type { Engine } from '../tensor/engine.js';
import { type StageOf, stageCode, type WorkedWith } from './code.js';
import type { DatasetPart, Workplace } from './graph.js';

/**
 * Only names are known of a request before anything of it is opened: `namesOf`. Keys made from names tell apart
 * what is asked for; those that name artifacts are made from what is really there: `knownOf`.
 */
export interface Known {
  readonly dataset: Pick<Dataset, 'name' | 'trainsOn' | 'dropsIdenticalIds'> & {
    readonly identity: object;
    /** Whether it ships hard negatives; undefined where that is not known. */
    readonly shipsNegatives?: boolean;
  };
  /** Of a dataset with distractors: the same, where one part of it alone is known. */
  readonly parts?: KnownParts;
  /** Absent where nothing is computed on one. */
  readonly engine?: { readonly name: string };
  /** What floating-point numbers that are computed here depend on. */
  readonly computing: { readonly engine?: object; readonly computeClass?: string };
  /** Who searches vectors, and what decides who of several does. */
  readonly flat?: { readonly names: readonly string[]; readonly identity: object };
  /** Who builds the index; absent where it is Flat. */
  readonly builder?: { readonly name: string; readonly versions: object; readonly by?: NamedBuilder };
  /** Is told of files that a user hands in and of models that are fetched; absent where only names are known. */
  readonly told?: Progress;
  /** Assumed of a model that is not looked at. */
  readonly shape?: EncoderShape;
  /** Nothing where only names are known. */
  code(stage: StageOf, workedWith: WorkedWith): { code?: Code; distractors?: object };
}

export type KnownParts = Readonly<Record<DatasetPart, Known>> & {
  /** How many distractors there are. */
  readonly count: number;
};

const engineIdentity = ({ name, device, versions }: Engine) => ({ name, device, versions });

/** @param by who builds the index; absent where it is Flat, or none is asked for */
export async function knownOf(
  at: Pick<Workplace, 'config' | 'dataset' | 'progress'> & { readonly openEngine?: Engine | undefined },
  by?: NamedBuilder,
): Promise<Known> {
  const { config, dataset, openEngine: engine } = at;
  const machine = {
    told: at.progress,
    computing: { ...(engine && { engine: engineIdentity(engine) }), computeClass: computeClass() },
    ...(engine && { engine, flat: await flatOf(config, engine) }),
    ...(by && { builder: { name: by.name, versions: by.plugin.versions(engine!, config.index.kind), by } }),
  };
  const of = (part: Dataset): Known => {
    const { name, trainsOn, dropsIdenticalIds, grown } = part;
    return {
      ...machine,
      dataset: {
        ...{ name, identity: datasetIdentity(part), shipsNegatives: part.negatives !== undefined },
        ...(trainsOn && { trainsOn }),
        ...(dropsIdenticalIds && { dropsIdenticalIds }),
      },
      code: (stage, workedWith) => ({
        code: stageCode(stage, workedWith),
        ...(grown && workedWith.dataset && { distractors: grown.code }),
      }),
      ...(grown && { parts: partsKnown(grown, of) }),
    };
  };
  return of(dataset);
}

const partsKnown = (
  { whole, base, distractors, count }: GrownDataset,
  of: (part: Dataset) => Known,
): KnownParts => ({ whole: of(whole), base: of(base), distractors: of(distractors), count });

export function namesOf({
  dataset,
  data,
  distractors,
  config,
}: DatasetChoice & { config: BenchConfig }): Known {
  const { engine, device, searcher, index } = config;
  const machine = {
    engine: { name: engine },
    computing: { engine: { name: engine, device } },
    flat: { names: [], identity: { searcher } },
    ...(index.kind !== 'Flat' && { builder: { name: searcher, versions: {} } }),
    code: () => ({}),
  };
  const of = (name: string, identity: object): Known => ({
    ...machine,
    dataset: { name, identity, dropsIdenticalIds: true },
  });
  const named = { dataset, data: data ?? null };
  const whole = of(dataset, named);
  if (distractors === undefined) return whole;
  const { count, largest, from } = distractors;
  const source = { from: from ? { dataset: from.dataset, data: from.data ?? null } : null };
  return {
    ...of(dataset, { ...named, distractors: { count, ...source } }),
    parts: {
      ...{ whole, count },
      base: from ? whole : of(dataset, { ...named, needed: true }),
      distractors: of(from?.dataset ?? dataset, { ...named, distractors: { largest, ...source } }),
    },
  };
}

/** Tells apart what collections requests read, and where they keep what they find out of them. */
export const collectionKey = (request: Parameters<typeof namesOf>[0]): string =>
  canonicalJson([namesOf(request).dataset.identity, request.config.cache]);

/** `auto` goes on to the next searcher where a budget is too small for the first. */
async function flatOf(config: BenchConfig, engine: Engine): Promise<NonNullable<Known['flat']>> {
  const name = await flatSearcher(config);
  const searchers = name === auto ? await autoSearchers() : [await namedSearcher(name)];
  const here = [];
  for (const { name, plugin } of searchers) {
    const isHere = plugin.open !== undefined && (await succeeds(plugin.check()));
    if (isHere) here.push({ name, versions: plugin.versions(engine, flatKind) });
  }
  return { names: here.map(({ name }) => name), identity: here.length === 1 ? here[0]! : { anyOf: here } };
}
