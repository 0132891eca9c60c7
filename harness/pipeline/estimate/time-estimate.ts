/** How long a run takes on this machine: what it does is really done for a second each, and taken in proportion. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Progress, silentProgress } from '../../progress.js';
import { inOrder, inputKey, type Stage } from '../../stages/graph.js';
import { collectionKey, namesOf } from '../../stages/known.js';
import { canonicalJson } from '../../store/hash.js';
import { Store } from '../../store/store.js';
import { loadSystem } from '../../systems.js';
import { measuredSeconds, startSeconds, warmUpSeconds } from '../answering-order.js';
import { datasetHere, passagesAsked } from '../needs.js';
import type { RunRequest } from '../run-request.js';
import type { Means } from '../system.js';
import { type PartOfDataset, partOf } from './part-of-dataset.js';
import type { StageTime, TimeRow } from './stage-time.js';

export interface TimeEstimate {
  stages: readonly TimeRow[];
  /** The sum of those that are known. */
  seconds: number;
}

/** Everything is made anew; opening files, judging hits and writing records is not in it. */
export class TimeEstimates {
  readonly #known = new Map<string, Promise<readonly StageTime[]>>();
  readonly #parts = new Map<string, Promise<PartOfDataset | null>>();

  constructor(readonly progress: Progress) {}

  /** What is measured once serves every seed. @param means as the request's requirements were found */
  async of(
    request: RunRequest,
    { engine, vectors, pairs, postings }: Pick<Means, 'engine' | 'vectors' | 'pairs' | 'postings'>,
  ): Promise<TimeEstimate> {
    // The number of vectors that are computed, or of weights that score, is known as soon as the model is.
    const isModelHere =
      postings?.isModelHere ?? (engine === undefined || vectors !== undefined || pairs !== undefined);
    const { seed: _, anew: __, config, ...rest } = request;
    const { seeds: ___, ...settings } = config;
    const key = canonicalJson({ ...rest, settings, isModelHere });
    let found = this.#known.get(key);
    if (found === undefined) {
      found = this.#measure(request, isModelHere);
      this.#known.set(key, found);
    }
    const rows = await rowsOf(request, await found);
    const isKnown = rows.some(({ seconds }) => seconds !== null);
    const stages = isKnown ? [...rows, ...answeringRows(config)] : rows;
    return { stages, seconds: stages.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0) };
  }

  async #measure(request: RunRequest, isModelHere: boolean): Promise<readonly StageTime[]> {
    const part = await this.#part(request);
    if (part === null)
      return unknown('the dataset is not here yet, and how long its download takes is not known');
    if (!isModelHere) return unknown('the checkpoint is not here yet');
    const { times } = await (await loadSystem(request.architecture)).steps();
    const stage = this.progress.stage(`try what ${request.architecture} takes`);
    const folder = await mkdtemp(path.join(tmpdir(), 'strata-estimate-'));
    try {
      const progress = silentProgress(this.progress.signal);
      return await times({ request, part, folder, store: new Store(folder, { isAlone: true }), progress });
    } finally {
      await rm(folder, { recursive: true, force: true });
      stage.end();
    }
  }

  #part(request: RunRequest): Promise<PartOfDataset | null> {
    const key = collectionKey(request);
    let found = this.#parts.get(key);
    if (found === undefined) {
      found = datasetHere(request).then(
        async (opened) => opened && partOf(opened, await passagesAsked(opened, request)),
      );
      this.#parts.set(key, found);
    }
    return found;
  }
}

/** Once for every system, whatever it is put together of. */
function answeringRows({ answering, latency }: RunRequest['config']): TimeRow[] {
  if (!answering.measure || latency.queries === 0) return [];
  const seconds = startSeconds + warmUpSeconds + measuredSeconds;
  const basis = 'opened in a process of its own, and asked for about a second';
  return [{ stage: 'answering', seconds, basis }];
}

const unknown = (basis: string): StageTime[] => [{ stage: 'all', seconds: null, basis }];

/** With the input keys of what is made: other seeds, and systems that are put together of others, may need the same. */
async function rowsOf(request: RunRequest, times: readonly StageTime[]): Promise<TimeRow[]> {
  const graphs = new Map<string, readonly Stage[]>();
  const graphOf = async (own: RunRequest) => {
    const key = `${own.config.search.depth} ${own.architecture}`;
    const known = graphs.get(key);
    if (known !== undefined) return known;
    const { stages } = await (await loadSystem(own.architecture)).steps();
    const graph = inOrder((await stages(own, namesOf(own))).all);
    graphs.set(key, graph);
    return graph;
  };
  const needed = new Set((await graphOf(request)).map(inputKey));
  const rows: TimeRow[] = [];
  for (const { makes, within, ...row } of times) {
    const made = (makes?.(await graphOf(within?.(request) ?? request)) ?? []).map(inputKey);
    // A system that another is put together of does less there: one that scores the hits of another is not searched.
    if (made.length > 0 && !made.some((key) => needed.has(key))) continue;
    rows.push({ ...row, ...(made.length > 0 && { sharedBy: made.join() }) });
  }
  return rows;
}

/** The time of several runs; a stage that they share is counted once. */
export function totalOf(estimates: readonly TimeEstimate[]): { seconds: number; unknown: number } {
  const counted = new Set<string>();
  let [seconds, unknown] = [0, 0];
  for (const { stages } of estimates) {
    if (stages.some((each) => each.seconds === null)) unknown++;
    for (const { seconds: own, sharedBy } of stages) {
      if (sharedBy !== undefined && counted.has(sharedBy)) continue;
      if (sharedBy !== undefined) counted.add(sharedBy);
      seconds += own ?? 0;
    }
  }
  return { seconds, unknown };
}
