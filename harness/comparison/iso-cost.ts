/** The best accuracy that is to be had for so many bytes or milliseconds, over all systems and points of their curves. */
import type { ReportColumn, ReportIsoCost, ReportSystem } from '../contracts.js';
import type { RunRecord } from '../record.js';
import { type RankedValues, rankSystems } from '../statistics/ranks.js';
import { mean, median } from '../statistics/summary.js';
import { onOneDevice } from './devices.js';
import { curvesOf } from './index-curves.js';
import { firstOf, ordersOf, type System } from './systems.js';

type Cost = ReportIsoCost['budgets'][number]['cost'];

/** Bytes of a passage, milliseconds of a query. */
const budgets: readonly { cost: Cost; limits: readonly number[] }[] = [
  { cost: 'passage-bytes', limits: [128, 512, 4096] },
  { cost: 'search-ms', limits: [1, 5, 20] },
  { cost: 'total-ms', limits: [1, 5, 20] },
];

/** A system as it is searched, or at another value of what its search looks at. */
interface Point {
  name: string;
  values: RankedValues;
  accuracy: number;
  costs: Partial<Record<Cost, number>>;
}

/**
 * For each cost the best point within it by mean accuracy, and those within it that the tests do not tell from the best:
 * all pairs of points are tested by this measure and corrected together, as `rankSystems` does.
 * @param rows of the table, in the order of the systems
 * @param comparable whether latencies were measured on one device; else there is no best for so many milliseconds
 * @returns undefined where fewer than two points have the queries of the first system
 */
export function isoCostOf(
  systems: readonly System[],
  rows: readonly ReportSystem[],
  { id: measure, higherIsBetter }: ReportColumn,
  comparable: boolean,
): ReportIsoCost | undefined {
  const points = systems.flatMap((system, i) => pointsOf(system, rows[i]!, systems[0]!, measure));
  // How far places move is not asked here: one draw is the fewest there is.
  const { ranks, familySize } = rankSystems([points.map(({ values }) => values)], { resamples: 1 });
  const direction = higherIsBetter ? 1 : -1;
  const found = budgets.flatMap(({ cost, limits }) => {
    if (cost !== 'passage-bytes' && !comparable) return [];
    const known = points.filter(({ costs }) => costs[cost] !== undefined);
    if (known.length < 2) return [];
    return limits.map((limit) => {
      const within = known.filter(({ costs }) => costs[cost]! <= limit);
      const [best] = within.toSorted((a, b) => direction * (b.accuracy - a.accuracy));
      if (best === undefined) return { cost, limit, within: 0 };
      const tied = ranks[0]![points.indexOf(best)]!.tied.map((other) => points[other]!);
      return {
        ...{ cost, limit, within: within.length },
        best: { name: best.name, accuracy: best.accuracy, cost: best.costs[cost]! },
        tied: tied.filter((point) => within.includes(point)).map(({ name }) => name),
      };
    });
  });
  return found.length === 0 ? undefined : { measure, familySize, budgets: found };
}

function pointsOf(system: System, { cells }: ReportSystem, first: System, measure: string): Point[] {
  const orders = ordersOf(firstOf(first).queryIds, system);
  if (orders === undefined) return [];
  const records = system.runs.map(({ record }) => record);
  const point = (
    name: string,
    perQuery: readonly (readonly number[] | undefined)[],
    costs: Point['costs'],
  ) => {
    if (perQuery.includes(undefined)) return [];
    const runs = perQuery.map((values, r) => Float64Array.from(orders[r]!, (at) => values![at]!));
    const { higherIsBetter } = firstOf(system).measures[measure]!;
    const values = { higherIsBetter, runs, seeds: records.map(({ seed }) => seed) };
    return [{ name, values, accuracy: mean(runs.map((run) => mean(run))), costs }];
  };
  const held = records.map(({ measures }) => measures[measure]?.perQuery);
  const own = point(system.name, held, {
    ...passageBytes(records, ({ index }) => index?.sizeBytes.total),
    ...(cells['search-ms'] && { 'search-ms': cells['search-ms'].value }),
    ...(cells['total-ms'] && { 'total-ms': cells['total-ms'].value }),
  });
  const curves = curvesOf(system) ?? [];
  // The last point of a curve is the system itself.
  const others = (curves[0]?.points ?? []).slice(0, -1).flatMap(({ value }, i) => {
    const at = curves.map(({ points }) => points[i]!);
    const samples = at.flatMap(({ execution }) => execution?.search.samplesMs ?? []);
    const size = new Map(records.map((record, r) => [record, at[r]!.sizeBytes]));
    return point(
      `${system.name} at ${curves[0]!.parameter} ${value}`,
      at.map(({ measures }) => measures?.[measure]?.perQuery),
      {
        ...passageBytes(records, (record) => size.get(record) ?? record.index?.sizeBytes.total),
        ...(samples.length > 0 && onOneDevice(records) && { 'search-ms': median(samples) }),
      },
    );
  });
  return [...own, ...others];
}

/** Of whole bytes, without the passage ids and the tables of offsets, so that 128 numbers of 32 bits are 512. */
function passageBytes(
  records: readonly RunRecord[],
  sizeOf: (record: RunRecord) => number | undefined,
): { 'passage-bytes'?: number } {
  const bytes = records.map((record) => {
    const size = sizeOf(record);
    const { index, dataset } = record;
    if (size === undefined || index === undefined || !dataset.passageCount) return undefined;
    const { identifiers, offsets } = index.sizeBytes;
    return Math.floor((size - identifiers - offsets) / dataset.passageCount);
  });
  return bytes.includes(undefined) ? {} : { 'passage-bytes': mean(bytes as number[]) };
}
