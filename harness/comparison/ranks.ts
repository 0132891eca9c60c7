/** Places of systems in a report: which the tests leave open, and how far a bootstrap moves them. */
import type { ReportRanks } from '../contracts.js';
import { type RankedValues, rankSystems } from '../statistics/ranks.js';
import { firstOf, ordersOf, type System } from './systems.js';

/**
 * Undefined where fewer than two systems can be ranked.
 * @param measures that all systems hold
 * @param notes gets a line for each system that is left out
 */
export function ranksOf(
  systems: readonly System[],
  measures: readonly string[],
  notes: string[],
): ReportRanks | undefined {
  if (systems.length < 2 || measures.length === 0) return undefined;
  const { queryIds } = firstOf(systems[0]!);
  const ranked = systems.flatMap((system) => {
    const orders = ordersOf(queryIds, system);
    if (orders !== undefined) return [{ system, orders }];
    notes.push(`${system.name} has other queries than ${systems[0]!.name} and no place among the others.`);
    return [];
  });
  if (ranked.length < 2) return undefined;
  const values = measures.map((id) =>
    ranked.map(
      ({ system, orders }): RankedValues => ({
        higherIsBetter: firstOf(system).measures[id]!.higherIsBetter,
        seeds: system.runs.map(({ record }) => record.seed),
        runs: system.runs.map(({ record }, r) => {
          const { perQuery } = record.measures[id]!;
          return Float64Array.from(orders[r]!, (at) => perQuery[at]!);
        }),
      }),
    ),
  );
  const { ranks, familySize } = rankSystems(values);
  const names = ranked.map(({ system }) => system.name);
  return {
    familySize,
    measures: measures.map((measure, m) => ({
      measure,
      systems: ranks[m]!.map(({ places, interval, tied }, s) => ({
        system: names[s]!,
        places,
        interval,
        tied: tied.map((other) => names[other]!),
      })),
    })),
  };
}
