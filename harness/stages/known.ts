/** What is known of the outside when the stages of a request are put together: its dataset, its engine, its searchers. */
import type { BenchConfig } from '../config/config.js';
import type { Dataset } from '../contracts.js';
import {
  auto,
  autoSearchers,
  flatSearcher,
  type NamedBuilder,
  namedSearcher,
} from '../pipeline/choose-searcher.js';
import type { DatasetChoice } from '../pipeline/prepare.js';
import type { Code } from '../program/code.js';
import type { Engine } from '../tensor/engine.js';
import { type StageOf, stageCode, type WorkedWith } from './code.js';

/**
 * Of a request by itself, before anything of it is opened, only names are known: `namesOf`. Keys made from names tell apart
 * what is asked for; those that name artifacts are made from what is really there: `knownOf`.
 */
export interface Known {
  readonly dataset: Pick<Dataset, 'name' | 'trainsOn' | 'dropsIdenticalIds'> & {
    readonly identity: object;
    /** Whether it ships hard negatives; undefined where that is not known. */
    readonly shipsNegatives?: boolean;
  };
  /** What an engine's numbers depend on; absent where nothing is computed on one. */
  readonly engine?: object;
  /** Who searches vectors, and what decides who of several does. */
  readonly flat?: { readonly names: readonly string[]; readonly identity: object };
  /** Who builds the index; absent where it is Flat. */
  readonly builder?: { readonly name: string; readonly versions: object; readonly by?: NamedBuilder };
  /** Whether it is more than names: files that a user hands in are looked at then. */
  readonly isOpen: boolean;
  /** Nothing where only names are known. */
  code(stage: StageOf, workedWith: WorkedWith): { code?: Code };
}

/** What tells one state of a dataset from another. What a user calls the collection is none of it. */
export const datasetIdentity = ({ name, version, files }: Dataset) => ({
  name: name.replace(/:.*$/, ''),
  version,
  files: files.map(({ name: file, sha256 }) => ({ name: file, sha256 })),
});

export const engineIdentity = ({ name, device, versions }: Engine) => ({ name, device, versions });

/**
 * @param engine absent where the system computes on none
 * @param by who builds the index; absent where it is Flat, or none is asked for
 */
export async function knownOf(
  config: BenchConfig,
  dataset: Dataset,
  engine?: Engine,
  by?: NamedBuilder,
): Promise<Known> {
  const { name, trainsOn, dropsIdenticalIds } = dataset;
  return {
    isOpen: true,
    dataset: {
      ...{ name, identity: datasetIdentity(dataset), shipsNegatives: dataset.negatives !== undefined },
      ...(trainsOn && { trainsOn }),
      ...(dropsIdenticalIds && { dropsIdenticalIds }),
    },
    ...(engine && { engine: engineIdentity(engine), flat: await flatOf(config, engine) }),
    ...(by && { builder: { name: by.name, versions: by.plugin.versions(engine!), by } }),
    code: (stage, workedWith) => ({
      code: stageCode(stage, { dataset, ...(engine && { engine }), ...workedWith }),
    }),
  };
}

export function namesOf({ dataset, data, config }: DatasetChoice & { config: BenchConfig }): Known {
  const { engine, searcher, index } = config;
  return {
    isOpen: false,
    dataset: { name: dataset, identity: { dataset, data: data ?? null }, dropsIdenticalIds: true },
    engine: { engine },
    flat: { names: [], identity: { searcher } },
    ...(index.kind !== 'Flat' && { builder: { name: searcher, versions: {} } }),
    code: () => ({}),
  };
}

/** `auto` goes on to the next searcher where a budget is too small for the first. */
async function flatOf(config: BenchConfig, engine: Engine): Promise<NonNullable<Known['flat']>> {
  const name = await flatSearcher(config);
  const searchers = name === auto ? await autoSearchers() : [await namedSearcher(name)];
  const here = [];
  for (const { name, plugin } of searchers) {
    const isHere =
      plugin.open !== undefined &&
      (await plugin.check().then(
        () => true,
        () => false,
      ));
    if (isHere) here.push({ name, versions: plugin.versions(engine) });
  }
  return { names: here.map(({ name }) => name), identity: here.length === 1 ? here[0]! : { anyOf: here } };
}
