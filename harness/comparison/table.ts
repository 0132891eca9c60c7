/** The table of efficiency against accuracy: columns, and a cell for each system. */
import type { ReportCell, ReportColumn, ReportComparison, ReportSystem } from '../contracts.js';
import type { MeasureValues } from '../record.js';
import { bootstrapStatistic } from '../statistics/bootstrap.js';
import { mean, standardDeviation } from '../statistics/summary.js';
import { type CostColumn, costsOf } from './costs.js';
import { describeDevice, onOneDevice } from './devices.js';
import { inOneOrder } from './given-hits.js';
import { settingsOf } from './names.js';
import { firstOf, measuresOf, type System } from './systems.js';

/** Below it a corrected p counts as significant. */
const significanceLevel = 0.05;

/**
 * The accuracy of a system: mean and deviation over seeds; the interval is a bootstrap over queries, each with its mean
 * over seeds.
 */
function accuracy(system: System, id: string): ReportCell | undefined {
  const runs = system.runs.map(({ record }) => record.measures[id]);
  if (runs.some((values) => values === undefined)) return undefined;
  const held = runs as MeasureValues[];
  const deviation = standardDeviation(held.map((values) => values.mean));
  const perQuery = held[0]!.perQuery.map((_, q) => mean(held.map((values) => values.perQuery[q]!)));
  const cell = {
    value: mean(held.map((values) => values.mean)),
    ...(deviation !== undefined && { deviation }),
  };
  if (perQuery.length < 2) return cell;
  const { low, high } = bootstrapStatistic(perQuery, 'mean', { resamples: 1000 }).interval;
  return { ...cell, interval: { low, high } };
}

/** Of what the systems found: a column for each measure that at least one of them holds. */
function accuracyColumns(
  systems: readonly System[],
  ids: readonly string[] = [...new Set(systems.flatMap(measuresOf))],
): ReportColumn[] {
  return ids.flatMap((id): ReportColumn[] => {
    const held = systems.map((system) => firstOf(system).measures[id]).find((values) => values !== undefined);
    if (held === undefined) return [];
    const { higherIsBetter, description } = held;
    return [{ id, label: id, group: 'accuracy', unit: unitOf(systems, id), higherIsBetter, description }];
  });
}

/** Where a record does not say in what a measure counts, values that all lie between 0 and 1 are taken for shares. */
export function unitOf(systems: readonly System[], id: string): 'share' | 'count' {
  const held = systems.flatMap(({ runs }) => runs.flatMap(({ record }) => record.measures[id] ?? []));
  const said = held.find(({ unit }) => unit !== undefined)?.unit;
  if (said !== undefined) return said;
  const shares = held.every(({ perQuery }) => perQuery.every((value) => value >= 0 && value <= 1));
  return shares ? 'share' : 'count';
}

/**
 * A row for each system, and the columns that at least one of them has a number for: accuracy, size, latency. The best of
 * a column and the second are marked, and what differs from the baseline.
 * @param measures all that are held where absent
 * @param asked costs that are shown though no system has a number for them, where one says why it has none
 */
export function tableOf(
  systems: readonly System[],
  comparisons: readonly ReportComparison[],
  { measures, columns: asked = [] }: { measures?: readonly string[]; columns?: readonly string[] } = {},
): { columns: ReportColumn[]; rows: ReportSystem[]; notes: string[] } {
  const accuracies = accuracyColumns(systems, measures);
  const costs = costsOf(systems);
  const rows = systems.map((system) => {
    const { arch } = firstOf(system);
    const tested = comparisons.find(({ candidate }) => candidate === system.name)?.measures;
    const cells: Record<string, ReportCell> = {};
    for (const { id } of accuracies) {
      const cell = accuracy(system, id);
      const test = tested?.find(({ measure }) => measure === id);
      if (cell !== undefined)
        cells[id] = test === undefined ? cell : { ...cell, significant: verdictOf(test) };
    }
    const notMeasured: Record<string, string> = {};
    for (const { id, of } of costs) {
      const cell = of(system);
      if (cell === undefined) continue;
      if ('value' in cell) cells[id] = cell;
      else notMeasured[id] = cell.notMeasured ?? unsaid;
    }
    return {
      name: system.name,
      arch: arch.name,
      layers: arch.layers,
      vectors: arch.vectors,
      seeds: system.runs.map(({ record }) => record.seed),
      settings: settingsOf(firstOf(system)),
      device: describeDevice(firstOf(system)),
      cells,
      ...(Object.keys(notMeasured).length > 0 && { notMeasured }),
    };
  });
  const used = costs.filter(({ id }) =>
    rows.some(
      ({ cells, notMeasured }) =>
        cells[id] !== undefined || (asked.includes(id) && notMeasured?.[id] !== undefined),
    ),
  );
  const columns = [...accuracies, ...used.map(({ of: _, isNoCost: __, ...column }) => column)];
  const isNoCost = new Set(used.flatMap((column) => (column.isNoCost === true ? [column.id] : [])));
  const ordered = inOneOrder(systems);
  const costed = rows.filter((_, i) => ordered.includes(systems[i]!));
  for (const column of columns) {
    if (isNoCost.has(column.id)) continue;
    if (!ofMachine.includes(column.group) || comparableOn(systems))
      markPlaces(column.group === 'accuracy' ? rows : costed, column);
  }
  return { columns, rows, notes: missingNotes(costs, rows) };
}

/** Of a record that an older version left, or another program. */
const unsaid = 'the record does not say';

/** Groups of columns whose numbers are one machine's. */
const ofMachine: readonly ReportColumn['group'][] = ['build', 'answering', 'latency'];

/** What no system has a number for though it was asked for, with the reasons: such columns are not shown. */
function missingNotes(costs: readonly CostColumn[], rows: readonly ReportSystem[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { id, label } of costs) {
    if (rows.some(({ cells }) => cells[id] !== undefined)) continue;
    for (const reason of new Set(rows.flatMap(({ notMeasured }) => notMeasured?.[id] ?? [])))
      if (reason !== unsaid) byReason.set(reason, [...(byReason.get(reason) ?? []), label]);
  }
  return [...byReason].map(([reason, labels]) => `Not measured: ${labels.join(', ')} (${reason}).`);
}

/** Whether the latencies of these systems may stand in one order. */
export function comparableOn(systems: readonly System[]): boolean {
  const timed = inOneOrder(systems).flatMap(({ runs }) => runs.map(({ record }) => record));
  return onOneDevice(timed.filter(({ latency }) => latency !== undefined));
}

function verdictOf({ overQueries, overSeeds }: ReportComparison['measures'][number]) {
  return {
    overQueries: overQueries.correctedP !== undefined && overQueries.correctedP < significanceLevel,
    overSeeds: overSeeds.correctedP !== undefined && overSeeds.correctedP < significanceLevel,
  };
}

/** Equal numbers share a place; where all are equal nobody has one. */
function markPlaces(rows: readonly ReportSystem[], { id, higherIsBetter }: ReportColumn): void {
  const having = rows.filter((row) => row.cells[id] !== undefined);
  const direction = higherIsBetter ? -1 : 1;
  const values = [...new Set(having.map((row) => row.cells[id]!.value))].sort((a, b) => direction * (a - b));
  if (values.length < 2) return;
  for (const { cells } of having) {
    const cell = cells[id]!;
    if (cell.value === values[0]) cell.place = 'best';
    // Of two, the one that is not the best needs no mark.
    else if (cell.value === values[1] && having.length > 2) cell.place = 'second';
  }
}
