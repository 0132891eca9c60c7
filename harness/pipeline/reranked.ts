/** Two systems as one: the first finds passages, the second scores these alone, with the vectors of its own row. */
import { closing, closingOnFailure } from '../closing.js';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import type { PassageHits } from '../search/search.js';
import type { Stage } from '../stages/graph.js';
import { type Known, knownOf } from '../stages/known.js';
import { byVectors, type Ordering } from '../stages/rerank.js';
import { timeOf } from '../stages/search.js';
import type { SystemStages } from '../stages/systems.js';
import { Workbench } from '../stages/workbench.js';
import { loadSystem } from '../systems.js';
import type { Opening, OpenSystem, WayToOpen } from './cell.js';
import {
  addedUp,
  askingOf,
  type Component,
  componentsWithSteps,
  joinedParts,
  meansOf,
  planOf,
  requestOf,
  timesOf,
} from './components.js';
import type { StageTime, Trial } from './estimate/stage-time.js';
import { loadCodeOf, openScoringOf, openSystem } from './opening.js';
import type { RunRequest } from './run-request.js';
import type { AnsweredSystem, AnswerRequest, Means, SystemPlan, SystemSteps } from './system.js';

export { given } from './components.js';

export async function times(trial: Trial): Promise<StageTime[]> {
  const all = await timesOf(trial, ({ rerank, search }) => Math.max(search.depth, rerank.depth ?? 0));
  // The stage stands in the graph of both, and in no component's.
  const makes = (graph: readonly Stage[]) => graph.filter(({ name }) => name === 'rerank');
  return all.map((time) =>
    time.stage.endsWith(': rerank') ? { ...time, makes, within: (run: RunRequest) => run } : time,
  );
}

export async function requirements(request: RunRequest): Promise<Means> {
  const [, second] = await componentsWithSteps(request);
  scoreOf(second!.name, second!.steps);
  return meansOf(request);
}

function scoreOf(name: string, { score }: SystemSteps): NonNullable<SystemSteps['score']> {
  if (score !== undefined) return score;
  throw new BenchError('USAGE', `${name} has no vectors to score given passages with.`, {
    hint: "The second system is one of vectors or a cross-encoder: --arch 'rerank:bm25>mlr-sc', 'rerank:bm25>cross:FOLDER'.",
  });
}

export async function plan(request: RunRequest): Promise<SystemPlan> {
  const { rerank, search } = request.config;
  const { components = [] } = await loadSystem(request.architecture);
  const [first, second] = components as [string, string];
  const reranked = rerank.depth ?? search.depth;
  return planOf(request, `rerank    ${await orderText(reranked, search.depth, first, second)}`);
}

async function orderText(reranked: number, depth: number, first: string, second: string): Promise<string> {
  const { scoresOnly } = await loadSystem(second);
  const by = scoresOnly ? 'by the score of query and passage together' : 'by its exact similarity';
  const behind = reranked < depth ? `; the hits behind them are in the order of ${first}` : '';
  return `the first ${counted(reranked, 'hits')} of ${first} in the order of ${second}, ${by}${behind}`;
}

export async function stages(request: RunRequest, known: Known): Promise<SystemStages> {
  const { config, architecture } = request;
  const { depth } = config.search;
  const reranked = config.rerank.depth ?? depth;
  const [first, second] = await componentsWithSteps(request);
  const own = requestOf(request, first!, Math.max(depth, reranked));
  const { run: found } = await first!.steps.stages(own, known);
  const ordering = await orderingOf(second!, requestOf(request, second!, depth), known);
  const run = ordering(found, { split: 'test', reranked, depth }, architecture, known);
  return { run, all: [run] };
}

async function orderingOf({ steps }: Component, own: RunRequest, known: Known): Promise<Ordering> {
  if (steps.ordering !== undefined) return steps.ordering(own, known);
  return byVectors((await steps.stages(own, known)).vectors!);
}

export async function answer(asking: AnswerRequest): Promise<AnsweredSystem> {
  const { request, prepared, split, depth, log, progress } = asking;
  const reranked = request.config.rerank.depth ?? depth;
  const [first, second] = await componentsWithSteps(request);
  const score = scoreOf(second!.name, second!.steps);
  const found = await first!.steps.answer(askingOf(asking, first!, Math.max(depth, reranked)));
  return closingOnFailure(found, async () => {
    const scoring = await score(askingOf(asking, second!, depth));
    const { stage, run } = await closing(scoring, async ({ ordering, engine }) => {
      const bench = new Workbench(prepared, progress, log, engine);
      const asked = { split, reranked, depth };
      const made = ordering(found.stages.run, asked, request.architecture, await knownOf(bench));
      return { stage: made, run: await bench.logged(made, 'rerank') };
    });
    const [opened, scorer] = [found.opening, scoring.opening];
    const from: RerankedFrom = { reranked, depth, found: opened, scoring: scorer };
    const together = addedUp(asking, 'rerank', [
      { ...found, name: first!.name },
      { ...scoring, name: second!.name },
    ]);
    return {
      ...together,
      ...{ run, index: found.index, rereads: found.rereads, stages: { run: stage, all: [stage] } },
      remarks: [
        `${await orderText(reranked, depth, first!.name, second!.name)}; sizes are added up, latency is that of both one after the other`,
        ...together.remarks,
      ],
      work: {
        ...Object.fromEntries(
          Object.entries(found.work).map(([what, took]) => [`${what} of ${first!.name}`, took]),
        ),
        reranking: { timed: timeOf(run.facts), wanted: scoring.conditions },
      },
      opening: { system: request.architecture, folders: [...opened.folders, ...scorer.folders], from },
      close: () => found.close(),
    };
  });
}

/** By which it is opened: JSON. */
interface RerankedFrom {
  readonly found: Opening;
  readonly scoring: Opening;
  readonly reranked: number;
  readonly depth: number;
}

export async function loadCode(from: object): Promise<void> {
  const { found, scoring } = from as RerankedFrom;
  for (const each of [found, scoring]) await loadCodeOf(each);
}

export async function open(from: object, way: WayToOpen): Promise<OpenSystem> {
  const { found, scoring, reranked, depth } = from as RerankedFrom;
  return closingOnFailure(await openSystem(found, way), async (first) => {
    const second = await openScoringOf(scoring, way);
    const cut = { reranked, depth };
    const ordered = ([hits, given]: readonly unknown[]) => second.order(given, hits as PassageHits, cut);
    return {
      parts: joinedParts([first.parts, second.parts], ordered),
      answerBatch: async (batch) => second.orderBatch(batch, await first.answerBatch(batch), cut),
      resident: first.resident && second.resident,
      async close() {
        await second.close();
        await first.close();
      },
    };
  });
}
