/** Two systems as one: the first finds passages, the second scores these alone, with the vectors of its own row. */
import { closingOnFailure } from '../closing.js';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { rerankHits } from '../search/rerank.js';
import type { PassageHits } from '../search/search.js';
import { type Known, knownOf } from '../stages/known.js';
import { rerank } from '../stages/rerank.js';
import { timeOf } from '../stages/search.js';
import type { SystemStages } from '../stages/systems.js';
import { Workbench } from '../stages/workbench.js';
import { loadSystem } from '../systems.js';
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
import { loadCodeOf, openScoringOf, openSystem } from './opening.js';
import { vectorOf } from './query-encoder.js';
import type { RunRequest } from './run-request.js';
import type { AnsweredSystem, AnswerRequest, Means, SystemPlan, SystemSteps } from './system.js';
import { conditionsHere } from './whole-index.js';

export { given } from './components.js';

export const times = (trial: Trial): Promise<StageTime[]> =>
  timesOf(trial, ({ rerank, search }) => Math.max(search.depth, rerank.depth ?? 0));

export async function requirements(request: RunRequest): Promise<Means> {
  const [, second] = await componentsWithSteps(request);
  scoreOf(second!.name, second!.steps);
  return meansOf(request);
}

function scoreOf(name: string, { score }: SystemSteps): NonNullable<SystemSteps['score']> {
  if (score !== undefined) return score;
  throw new BenchError('USAGE', `${name} has no vectors to score given passages with.`, {
    hint: "The second system is one of vectors: --arch 'rerank:bm25>mlr-sc'.",
  });
}

export async function plan(request: RunRequest): Promise<SystemPlan> {
  const { rerank, search } = request.config;
  const { components = [] } = await loadSystem(request.architecture);
  const [first, second] = components as [string, string];
  return planOf(request, `rerank    ${orderText(rerank.depth ?? search.depth, search.depth, first, second)}`);
}

function orderText(reranked: number, depth: number, first: string, second: string): string {
  const behind = reranked < depth ? `; the hits behind them are in the order of ${first}` : '';
  return `the first ${counted(reranked, 'hits')} of ${first} in the order of ${second}, by its exact similarity${behind}`;
}

export async function stages(request: RunRequest, known: Known): Promise<SystemStages> {
  const { config, architecture } = request;
  const { depth } = config.search;
  const reranked = config.rerank.depth ?? depth;
  const [first, second] = await componentsWithSteps(request);
  const own = requestOf(request, first!, Math.max(depth, reranked));
  const { run: found } = await first!.steps.stages(own, known);
  const { vectors } = await second!.steps.stages(requestOf(request, second!, depth), known);
  const run = rerank(found, vectors!, { split: 'test', reranked, depth }, architecture, known);
  return { run, all: [run] };
}

export async function answer(asking: AnswerRequest): Promise<AnsweredSystem> {
  const { request, prepared, split, depth, log, progress } = asking;
  const reranked = request.config.rerank.depth ?? depth;
  const [first, second] = await componentsWithSteps(request);
  const score = scoreOf(second!.name, second!.steps);
  const found = await first!.steps.answer(askingOf(asking, first!, Math.max(depth, reranked)));
  return closingOnFailure(found, async () => {
    const scoring = await score(askingOf(asking, second!, depth));
    const bench = new Workbench(prepared, progress, log);
    const vectors = scoring.stages.vectors!;
    const asked = { split, reranked, depth };
    const stage = rerank(found.stages.run, vectors, asked, request.architecture, await knownOf(bench));
    const run = await bench.logged(stage, 'rerank');
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
        `${orderText(reranked, depth, first!.name, second!.name)}; sizes are added up, latency is that of both one after the other`,
        ...together.remarks,
      ],
      work: {
        ...Object.fromEntries(
          Object.entries(found.work).map(([what, took]) => [`${what} of ${first!.name}`, took]),
        ),
        reranking: { timed: timeOf(run.facts), wanted: await conditionsHere(1) },
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
    const { queries, scorer } = second;
    const ordered = async ([hits, given]: readonly unknown[]) =>
      rerankHits(hits as PassageHits, await vectorOf(queries, given), scorer, reranked, depth);
    return {
      parts: joinedParts([first.parts, queries.parts], ordered),
      async answerBatch(batch) {
        const hits = await first.answerBatch(batch);
        return rerankHits(hits, await queries.encode(batch), scorer, reranked, depth);
      },
      resident: first.resident && scorer.resident,
      async close() {
        await second.close();
        await first.close();
      },
    };
  });
}
