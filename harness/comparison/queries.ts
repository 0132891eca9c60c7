/** The two best systems query by query: where they differ most, with texts and hits where those are at hand. */
import type { Qrels, Query, ReportHit, ReportQueryDifferences, Run } from '../contracts.js';
import type { StoredRecord } from '../record.js';
import type { System } from './systems.js';

/** What is not in a record: asked for by the records it concerns, so that only what is shown has to be read. */
export interface TextSource {
  /** The hits of a run, and notes where they are not at hand. */
  run(stored: StoredRecord): Promise<{ run?: Run; note?: string }>;
  /** Texts of these queries and passages, and their qrels. */
  texts(
    stored: StoredRecord,
    queryIds: ReadonlySet<string>,
    passageIds: ReadonlySet<string>,
  ): Promise<{
    queries?: ReadonlyMap<string, Query>;
    passages?: ReadonlyMap<string, { title: string; text: string }>;
    qrels?: Qrels;
    note?: string;
  }>;
}

/** Queries shown for either system, and hits of each query. */
const shownQueries = 5;
const shownHits = 5;

/**
 * @param systems the two, best first
 * @returns undefined where they have no seed in common or do not hold the same queries
 */
export async function queryDifferences(
  systems: readonly [System, System],
  measure: string,
  source: TextSource,
): Promise<ReportQueryDifferences | undefined> {
  const runs = commonRuns(systems);
  const values = runs?.map(({ record }) => record.measures[measure]?.perQuery);
  if (runs === undefined || values === undefined || values.includes(undefined)) return undefined;
  const [first, second] = runs;
  const position = new Map(second.record.queryIds.map((queryId, i) => [queryId, i]));
  const { queryIds } = first.record;
  if (queryIds.length !== position.size || queryIds.some((queryId) => !position.has(queryId)))
    return undefined;
  const others = Object.keys(first.record.measures).filter((id) => second.record.measures[id] !== undefined);
  const rising = first.record.measures[measure]!.higherIsBetter;
  const pairs = queryIds.map((queryId, i) => {
    const at = position.get(queryId)!;
    const own = [values[0]![i]!, values[1]![at]!] as const;
    const overall = others.reduce((sum, id) => {
      const { perQuery, higherIsBetter } = first.record.measures[id]!;
      const more = perQuery[i]! - second.record.measures[id]!.perQuery[at]!;
      return sum + (higherIsBetter === rising ? more : -more);
    }, 0);
    return { queryId, values: own, difference: own[0] - own[1], overall };
  });
  // Where a measure is 0 or 1 many differ by as much: among them the other measures decide.
  pairs.sort(
    (a, b) => b.difference - a.difference || b.overall - a.overall || (a.queryId < b.queryId ? -1 : 1),
  );
  const chosen = [
    ...pairs.slice(0, shownQueries).filter(({ difference }) => difference > 0),
    ...pairs
      .slice(-shownQueries)
      .filter(({ difference }) => difference < 0)
      .reverse(),
  ];
  const read = [await source.run(first), await source.run(second)];
  const hits = read.map(
    ({ run }) => new Map(chosen.map(({ queryId }) => [queryId, firstHits(run, queryId)])),
  );
  const queries = new Set(chosen.map(({ queryId }) => queryId));
  const passages = new Set(
    hits.flatMap((each) => [...each.values()].flat().map(({ passageId }) => passageId)),
  );
  const texts = await source.texts(first, queries, passages);
  const complete = (hit: ReportHit, queryId: string): ReportHit => {
    const relevance = texts.qrels?.get(queryId)?.get(hit.passageId);
    return { ...hit, ...(relevance !== undefined && { relevance }), ...texts.passages?.get(hit.passageId) };
  };
  const notes = [...read.map(({ note }) => note), texts.note].filter((note) => note !== undefined);
  return {
    measure,
    systems: [systems[0].name, systems[1].name],
    seed: first.record.seed,
    differences: pairs.map(({ difference }) => difference),
    queries: chosen.map(({ queryId, values: own }) => {
      const query = texts.queries?.get(queryId);
      return {
        queryId,
        ...(query && { text: query.text }),
        ...(query?.answers && { answers: query.answers }),
        values: own,
        hits: [0, 1].map((i) => hits[i]!.get(queryId)!.map((hit) => complete(hit, queryId))) as [
          ReportHit[],
          ReportHit[],
        ],
      };
    }),
    notes: [...new Set(notes)],
  };
}

/** A run of each with the same seed; a system without seeds goes with any. */
function commonRuns([a, b]: readonly [System, System]): [StoredRecord, StoredRecord] | undefined {
  for (const run of a.runs) {
    const { seed } = run.record;
    const other = b.runs.find(({ record }) => record.seed === seed || record.seed === null || seed === null);
    if (other !== undefined) return [run, other];
  }
  return undefined;
}

function firstHits(run: Run | undefined, queryId: string): ReportHit[] {
  const ranking = run?.get(queryId);
  if (ranking === undefined) return [];
  return ranking.passageIds.slice(0, shownHits).map((passageId, i) => {
    const score = ranking.scores?.[i];
    return { passageId, rank: i + 1, ...(score !== undefined && { score }) };
  });
}
