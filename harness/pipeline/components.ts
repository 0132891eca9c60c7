/** What systems that are put together of others share: their components are whole systems, and costs are added up. */
import path from 'node:path';
import type { Query } from '../contracts.js';
import type { Part } from '../latency/latency.js';
import { bareArchitecture, type IndexFacts } from '../record.js';
import { loadSystem } from '../systems.js';
import type { StageTime, Trial } from './estimate/stage-time.js';
import { assertIndexOf } from './index-builder.js';
import type { RunRequest } from './run-request.js';
import type { AnsweredSystem, AnswerRequest, Means, SystemFacts, SystemPlan, SystemSteps } from './system.js';

export interface Component {
  name: string;
  steps: SystemSteps;
}

/** @param depth hits per query that each is to find */
export async function componentsWithSteps({ architecture }: RunRequest): Promise<Component[]> {
  const { components = [] } = await loadSystem(architecture);
  return Promise.all(
    components.map(async (name) => ({ name, steps: await (await loadSystem(name)).steps() })),
  );
}

/** The request for a component: that of a row of its own, with the depth that is asked for here. */
export function requestOf(request: RunRequest, { name }: Component, depth: number): RunRequest {
  const { config } = request;
  const own = { ...config, search: { ...config.search, depth } };
  return { ...request, architecture: name, component: true, config: own };
}

export function askingOf(asking: AnswerRequest, component: Component, depth: number): AnswerRequest {
  const request = requestOf(asking.request, component, depth);
  return {
    ...asking,
    ...{ request, depth },
    prepared: { ...asking.prepared, config: request.config },
    log: asking.log.of(component.name),
  };
}

/** The means of all components: what they compute on, and the vectors where those of all are known. */
export async function meansOf(request: RunRequest): Promise<Means> {
  const all: Means[] = [];
  for (const component of await componentsWithSteps(request)) {
    const own = requestOf(request, component, request.config.search.depth);
    const means = await component.steps.requirements(own);
    await assertIndexOf(own.config, means);
    all.push(means);
  }
  const dense = all.filter(({ engine, postings }) => engine !== undefined && postings === undefined);
  const sparse = all.flatMap(({ postings }) => postings ?? []);
  const engine = all.find((means) => means.engine !== undefined)?.engine;
  const builder = all.find((means) => means.builder !== undefined)?.builder;
  const known = dense.every(({ vectors, pairs }) => vectors !== undefined || pairs !== undefined);
  const [vectors] = dense.flatMap((means) => means.vectors ?? []);
  const [pairs] = dense.flatMap((means) => means.pairs ?? []);
  return {
    ...(engine && { engine }),
    ...(sparse.length > 0 && {
      postings: { isModelHere: known && sparse.every(({ isModelHere }) => isModelHere) },
    }),
    ...(builder !== undefined && { builder }),
    ...(vectors && known && { vectors }),
    ...(pairs && known && { pairs }),
  };
}

/** As `addedUp` puts it together. */
export async function given(request: RunRequest): Promise<AnsweredSystem['given']> {
  const all: Pick<Told, 'name' | 'given'>[] = [];
  for (const component of await componentsWithSteps(request)) {
    const own = requestOf(request, component, request.config.search.depth);
    all.push({ name: component.name, given: (await component.steps.given?.(own)) ?? {} });
  }
  return givenOf(all);
}

const givenOf = (all: readonly Pick<Told, 'name' | 'given'>[]): AnsweredSystem['given'] =>
  Object.fromEntries(
    all.flatMap(({ name, given: own }) => (Object.keys(own).length === 0 ? [] : [[name, own]])),
  );

/** @param last what is done with what the components find */
export async function planOf(request: RunRequest, last: string): Promise<SystemPlan> {
  const plans: { name: string; plan: SystemPlan }[] = [];
  for (const component of await componentsWithSteps(request)) {
    const own = requestOf(request, component, request.config.search.depth);
    const plan = await component.steps.plan(own, await component.steps.requirements(own));
    plans.push({ name: component.name, plan });
  }
  const untimed = plans.map(({ plan }) => plan.untimed);
  return {
    ...(!untimed.includes(undefined) && { untimed: untimed[0]! }),
    stages: [...plans.flatMap(({ name, plan }) => [`of        ${name}`, ...plan.stages]), last],
    async needs(passages) {
      const lines: string[] = [];
      for (const { plan } of plans) lines.push(...(await plan.needs(passages)));
      return [...new Set(lines)];
    },
  };
}

/** @param depthOf hits per query that the components are to find */
export async function timesOf(
  trial: Trial,
  depthOf: (config: RunRequest['config']) => number,
): Promise<StageTime[]> {
  const { request, folder } = trial;
  const times: StageTime[] = [];
  for (const [i, component] of (await componentsWithSteps(request)).entries()) {
    const own = (of: RunRequest) => requestOf(of, component, depthOf(of.config));
    const given = { ...trial, request: own(request), folder: path.join(folder, String(i)) };
    for (const time of await component.steps.times(given))
      times.push({
        ...time,
        stage: `${component.name}: ${time.stage}`,
        within: (run) => time.within?.(own(run)) ?? own(run),
      });
  }
  return times;
}

type Told = { name: string } & Pick<AnsweredSystem, 'given' | 'remarks' | 'openBytes' | 'searchable'> & {
    facts: SystemFacts;
  };

/** What a run's record says of its components together. */
export function addedUp(
  { request: { architecture, config } }: AnswerRequest,
  family: 'fuse' | 'rerank',
  all: readonly Told[],
): Pick<AnsweredSystem, 'facts' | 'given' | 'openBytes' | 'searchable'> & { remarks: string[] } {
  const devices = all.map(({ facts }) => facts.device);
  const leading = devices.find(({ engine }) => engine !== null) ?? devices.find(isHere) ?? devices[0]!;
  const elsewhere = devices.flatMap(({ queryVectors }) => queryVectors ?? []);
  const queryVectors = elsewhere.includes('network') ? 'network' : elsewhere[0];
  const searchers = new Set(devices.flatMap(({ searcher }) => searcher ?? []));
  const areGiven = devices.some(({ hits }) => hits !== undefined);
  const indexes = all.flatMap(({ facts: { index } }) => index ?? []);
  const facts: SystemFacts = {
    // A row of its own would have the settings that a component resolved, too.
    config: { ...config, ...resolved(config, all) },
    arch: bareArchitecture(architecture, family),
    device: {
      ...leading,
      ...(queryVectors && { queryVectors }),
      ...(areGiven && { hits: 'given' }),
      searcher: searchers.size === 0 ? null : [...searchers].join('+'),
      versions: Object.assign({}, ...devices.map(({ versions }) => versions)),
    },
    ...(indexes.length > 0 && { index: addedIndexes(indexes) }),
    components: all.map(({ facts: { arch, model, training, index, hitsFrom } }) => ({
      ...{ arch, ...(index && { index }) },
      ...(model && { model }),
      ...(training && { training }),
      ...(hitsFrom && { hitsFrom }),
    })),
  };
  return {
    facts,
    given: givenOf(all),
    openBytes: all.reduce((sum, { openBytes }) => sum + openBytes, 0),
    searchable: [...new Set(all.flatMap(({ searchable }) => searchable))],
    remarks: all.flatMap(({ name, remarks }) => remarks.map((line) => `${name}: ${line}`)),
  };
}

const isHere = ({ device }: SystemFacts['device']): boolean => device !== null;

/** The sections that a component writes otherwise than they were given, but for the depth, which is the run's. */
function resolved(config: object, all: readonly Told[]): object {
  const given = Object.entries(config);
  return Object.fromEntries(
    all.flatMap(({ facts }) =>
      Object.entries(facts.config).filter(
        ([key, value]) => key !== 'search' && given.some(([name, own]) => name === key && own !== value),
      ),
    ),
  );
}

function addedIndexes(all: readonly IndexFacts[]): IndexFacts {
  const sum = (of: (index: IndexFacts) => number) => all.reduce((total, index) => total + of(index), 0);
  const sizeBytes: Record<string, number> = {};
  for (const index of all)
    for (const [part, bytes] of Object.entries(index.sizeBytes))
      sizeBytes[part] = (sizeBytes[part] ?? 0) + bytes;
  return {
    kind: all.map(({ kind }) => kind).join('+'),
    vectorsPerPassage: sum(({ vectorsPerPassage }) => vectorsPerPassage),
    rows: sum(({ rows }) => rows),
    dimensions: Math.max(...all.map(({ dimensions }) => dimensions)),
    shards: sum(({ shards }) => shards),
    sizeBytes: sizeBytes as IndexFacts['sizeBytes'],
    projectedBytes: sum(({ projectedBytes }) => projectedBytes),
    projectedPassages: all[0]!.projectedPassages,
  };
}

const partNames = ['tokenize', 'encode', 'search'] as const;

/**
 * The parts of several systems as those of one: each does what all of them do, one after the other.
 * @param of the parts of each system, from the same Query on
 * @param finish makes the hits of what the last parts gave, within `search`
 */
export function joinedParts(
  of: readonly (readonly Part[])[],
  finish: (values: readonly unknown[]) => unknown,
): Part[] {
  const names = partNames.filter(
    (name) => name === 'search' || of.some((parts) => parts.some(isNamed(name))),
  );
  return names.map((name, place) => ({
    name,
    async run(given: readonly unknown[] | Query) {
      const values = place === 0 ? of.map(() => given) : [...(given as readonly unknown[])];
      for (const [i, parts] of of.entries()) {
        const part = parts.find(isNamed(name));
        if (part !== undefined) values[i] = await part.run(values[i] as never);
      }
      return name === 'search' ? finish(values) : values;
    },
  }));
}

const isNamed =
  (name: string) =>
  (part: Part): boolean =>
    part.name === name;
