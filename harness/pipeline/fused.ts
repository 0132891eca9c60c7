/** Several systems as one: each answers by itself, as in a row of its own, and their lists become one. */

import { closingOnFailure } from '../closing.js';
import type { FuseConfig } from '../config/system-config.js';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { type Fusion, fuseHits } from '../search/fuse.js';
import type { PassageHits } from '../search/search.js';
import { fuse } from '../stages/fuse.js';
import type { Stage } from '../stages/graph.js';
import { type Known, knownOf } from '../stages/known.js';
import { type RunFacts, timeOf } from '../stages/search.js';
import type { SystemStages } from '../stages/systems.js';
import { Workbench } from '../stages/workbench.js';
import type { Opening, OpenSystem, WayToOpen } from './cell.js';
import {
  addedUp,
  askingOf,
  componentsWithSteps,
  joinedParts,
  meansOf,
  planOf,
  requestOf,
  timesOf,
} from './components.js';
import type { StageTime, Trial } from './estimate/stage-time.js';
import { loadCodeOf, openSystem } from './opening.js';
import type { RunRequest } from './run-request.js';
import type { AnsweredSystem, AnswerRequest, Means, SystemPlan } from './system.js';
import { conditionsHere } from './whole-index.js';

export { given } from './components.js';

export const times = (trial: Trial): Promise<StageTime[]> =>
  timesOf(trial, ({ fuse, search }) => fuse.depth ?? search.depth);

export async function requirements(request: RunRequest): Promise<Means> {
  const { length } = await componentsWithSteps(request);
  fusionOf(request.config.fuse, length);
  return meansOf(request);
}

export async function plan(request: RunRequest): Promise<SystemPlan> {
  const { length } = await componentsWithSteps(request);
  const { fuse, search } = request.config;
  return planOf(request, `fuse      ${fusionText(fusionOf(fuse, length), fuse.depth ?? search.depth)}`);
}

/** @param systems how many are fused @throws BenchError CONFIG_INVALID */
export function fusionOf({ method, constant, weights, normalization }: FuseConfig, systems: number): Fusion {
  const fault = (message: string, hint: string) => new BenchError('CONFIG_INVALID', message, { hint });
  if (method === 'rrf') {
    if (weights === null) return { method, constant };
    throw fault(
      `fuse.weights ${weights.join(',')} play no part in reciprocal rank fusion.`,
      'Set fuse.method=weighted too, or leave fuse.weights out.',
    );
  }
  const given = weights ?? Array.from({ length: systems }, () => 1 / systems);
  if (given.length !== systems)
    throw fault(
      `fuse.weights gives ${given.length} numbers for ${systems} systems.`,
      'Give one for each system of fuse:A+B, in their order.',
    );
  if (given.every((weight) => weight === 0)) throw fault('fuse.weights are all 0.', 'Give one more than 0.');
  return { method, weights: given, normalization };
}

/** @param depth hits taken of each system; null takes all */
export function fusionText(fusion: Fusion, depth: number | null): string {
  const of = `of ${depth === null ? 'all hits' : `the first ${counted(depth, 'hits')}`} of each system`;
  if (fusion.method === 'rrf') return `reciprocal rank fusion, constant ${fusion.constant}, ${of}`;
  const { weights, normalization } = fusion;
  return `sums of scores, normalization ${normalization}, weights ${weights.map((weight) => +weight.toFixed(4)).join(' and ')}, ${of}`;
}

export async function stages(request: RunRequest, known: Known): Promise<SystemStages> {
  const { config, architecture } = request;
  const { fuse: asked, search } = config;
  const components = await componentsWithSteps(request);
  const runs: Stage<RunFacts>[] = [];
  for (const component of components) {
    const own = requestOf(request, component, asked.depth ?? search.depth);
    runs.push((await component.steps.stages(own, known)).run);
  }
  const fusion = fusionOf(asked, components.length);
  const run = fuse(runs, { fusion, depth: search.depth }, architecture, known);
  return { run, all: [run] };
}

export async function answer(asking: AnswerRequest): Promise<AnsweredSystem> {
  const { request, prepared, log, progress } = asking;
  const depth = request.config.fuse.depth ?? asking.depth;
  const components = await componentsWithSteps(request);
  const fusion = fusionOf(request.config.fuse, components.length);
  const all: (AnsweredSystem & { name: string })[] = [];
  const closed = new Set<AnsweredSystem>();
  const close = async (which: readonly AnsweredSystem[]) => {
    for (const each of which) {
      if (closed.has(each)) continue;
      closed.add(each);
      await each.close();
    }
  };
  return closingOnFailure({ close: () => close(all) }, async () => {
    for (const component of components) {
      const { name, steps } = component;
      all.push({ name, ...(await steps.answer(askingOf(asking, component, depth))) });
      // The passage ids of the first are still needed.
      await close(all.slice(1));
    }
    const bench = new Workbench(prepared, progress, log);
    const runs = all.map(({ stages }) => stages.run);
    const asked = { fusion, depth: asking.depth };
    const fused = fuse(runs, asked, request.architecture, await knownOf(bench));
    const run = await bench.logged(fused, 'fuse');
    const together = addedUp(asking, 'fuse', all);
    const openings = all.map(({ opening }) => opening);
    const from: FusedFrom = { ...asked, all: openings };
    return {
      ...together,
      ...{ run, index: all[0]!.index, stages: { run: fused, all: [fused] } },
      remarks: [
        `${fusionText(fusion, depth)}; sizes are added up, latency is that of all one after another`,
        ...together.remarks,
      ],
      work: {
        ...Object.fromEntries(
          all.flatMap(({ name, work }) =>
            Object.entries(work).map(([what, took]) => [`${what} of ${name}`, took]),
          ),
        ),
        fusion: { timed: timeOf(run.facts), wanted: await conditionsHere(1) },
      },
      rereads: all.some(({ rereads }) => rereads),
      hasTies: true,
      ...(all.every(({ untimed }) => untimed !== undefined) && { untimed: all[0]!.untimed! }),
      opening: { system: request.architecture, folders: openings.flatMap(({ folders }) => folders), from },
      close: () => close(all),
    };
  });
}

/** By which it is opened: JSON. */
interface FusedFrom {
  readonly all: readonly Opening[];
  readonly fusion: Fusion;
  readonly depth: number;
}

export async function loadCode(from: object): Promise<void> {
  for (const each of (from as FusedFrom).all) await loadCodeOf(each);
}

export async function open(from: object, way: WayToOpen): Promise<OpenSystem> {
  const { all, fusion, depth } = from as FusedFrom;
  const open: OpenSystem[] = [];
  const close = async () => {
    for (const system of open) await system.close();
  };
  await closingOnFailure({ close }, async () => {
    for (const each of all) open.push(await openSystem(each, way));
  });
  const fused = (lists: readonly unknown[]) => fuseHits(lists as PassageHits[], fusion, depth);
  return {
    parts: joinedParts(
      open.map(({ parts }) => parts),
      fused,
    ),
    async answerBatch(queries) {
      const lists: PassageHits[] = [];
      for (const system of open) lists.push(await system.answerBatch(queries));
      return fuseHits(lists, fusion, depth);
    },
    resident: open.every(({ resident }) => resident),
    close,
  };
}
