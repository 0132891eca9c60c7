/** One dataset in several sizes: what was measured of each system, and what may be projected from it. */
import type {
  ReportColumn,
  ReportGrowingSystem,
  ReportGrowth,
  ReportGrowthLaw,
  ReportLawBounds,
  ReportSystem,
} from '../contracts.js';
import type { RunRecord, StoredRecord } from '../record.js';
import { fitLine } from '../statistics/linear-fit.js';
import { mean } from '../statistics/summary.js';
import { canonicalJson } from '../store/hash.js';
import { onOneDevice } from './devices.js';
import { distinctNames, settingsOf } from './names.js';
import { firstOf, groupSystems, grownFrom, type System } from './systems.js';
import { tableOf } from './table.js';

const lawBounds: ReportLawBounds = {
  // A line has two unknowns: a third size is the first that can contradict it.
  sizes: 3,
  // Sizes that lie close together say nothing of those that lie far off.
  spread: 4,
  // Medians of one machine repeat within some percent; a root or a logarithm of N, which looks straight for a while, explains
  // less than this over such a spread.
  r2: 0.99,
  // R2 goes by the largest size almost alone: where the line misses a smaller one by more, another law holds there.
  residual: 0.15,
};

const searchColumn = 'search-ms';

/** In the order in which each comes first; a dataset that was searched in one size alone does not grow. */
export function growthOf(records: readonly StoredRecord[], measures?: readonly string[]): ReportGrowth[] {
  const finished = records.filter(
    ({ record }) => record.status === 'ok' && record.dataset.passageCount !== null,
  );
  const series = new Map<string, StoredRecord[]>();
  for (const stored of finished) {
    const { distractors } = stored.record.dataset;
    if (distractors === undefined) continue;
    const key = seriesOf(stored.record, distractors.from);
    series.set(key, [...(series.get(key) ?? []), stored]);
  }
  return [...series.values()].flatMap((grown) => {
    const { from } = grown[0]!.record.dataset.distractors!;
    const base = canonicalJson(grownFrom(grown[0]!.record));
    // Without distractors of another dataset it is the dataset as it is.
    const bare = from === null ? [] : finished.filter((stored) => isBare(stored.record, base));
    const all = [...bare, ...grown];
    return sizesIn(all).length < 2 ? [] : [growthIn(all, from?.name ?? null, measures)];
  });
}

const seriesOf = (record: RunRecord, from: object | null): string => canonicalJson([grownFrom(record), from]);
const isBare = (record: RunRecord, base: string): boolean =>
  record.dataset.distractors === undefined && canonicalJson(grownFrom(record)) === base;
const countOf = ({ dataset }: RunRecord): number => dataset.distractors?.count ?? 0;
const sizesIn = (records: readonly StoredRecord[]): number[] =>
  [...new Set(records.map(({ record }) => countOf(record)))].sort((a, b) => a - b);

/** One system in one size. */
interface Sized {
  system: System;
  row: ReportSystem;
}

function growthIn(
  records: readonly StoredRecord[],
  from: string | null,
  measures: readonly string[] | undefined,
): ReportGrowth {
  const bySystem = new Map<string, Sized[]>();
  const several = severalIn(records);
  const columns = new Map<string, ReportColumn>();
  for (const size of sizesIn(records)) {
    const systems = groupSystems(records.filter(({ record }) => countOf(record) === size));
    const table = tableOf(systems, [], measures && { measures });
    for (const column of table.columns) if (!columns.has(column.id)) columns.set(column.id, column);
    const seen = new Map<string, number>();
    for (const [i, system] of systems.entries()) {
      const alike = systemKey(firstOf(system));
      // What two states of the program have run of one size is joined by the state with what they have run of the others.
      const key = several.has(alike) ? `${alike} ${statesOf(system)}` : alike;
      const before = seen.get(key) ?? 0;
      seen.set(key, before + 1);
      const own = `${key} ${before}`;
      bySystem.set(own, [...(bySystem.get(own) ?? []), { system, row: table.rows[i]! }]);
    }
  }
  const grown = [...bySystem.values()];
  const names = distinctNames(grown.map(([first]) => first!.system.runs[0]!));
  const first = records.find(({ record }) => record.dataset.distractors !== undefined)!.record;
  const systems = grown.map((sizes, i) => growingSystem(names[i]!, sizes));
  return {
    dataset: grownFrom(first),
    from,
    columns: [...columns.values()].filter((column) => isMoving(column, systems)),
    systems,
    lawBounds,
    notes: systems.flatMap(noteOf),
  };
}

const systemKey = (record: RunRecord): string => canonicalJson([record.arch.name, settingsOf(record)]);

/** Systems that stand in one size more than once. */
function severalIn(records: readonly StoredRecord[]): Set<string> {
  const found = sizesIn(records).flatMap((size) => {
    const keys = groupSystems(records.filter(({ record }) => countOf(record) === size)).map((system) =>
      systemKey(firstOf(system)),
    );
    return keys.filter((key, i) => keys.indexOf(key) !== i);
  });
  return new Set(found);
}

/** Of the program: its version and its commit, as far as records say them. */
const stateOf = ({ benchVersion, device: { git } }: RunRecord): string =>
  git === null ? benchVersion : `${benchVersion} ${git.commit}${git.dirty ? ', changed' : ''}`;
const statesOf = ({ runs }: System): string =>
  [...new Set(runs.map(({ record }) => stateOf(record)))].sort().join();

/** What is projected has a row of its own; what a query is encoded in knows nothing of the collection. */
const apart = ['projected-bytes', 'encode-ms'];

/** What is the same in every size says nothing here. */
function isMoving({ id, detail, group }: ReportColumn, systems: readonly ReportGrowingSystem[]): boolean {
  if (detail === true || apart.includes(id)) return false;
  if (group === 'accuracy') return true;
  return systems.some(({ points }) => new Set(points.map(({ cells }) => cells[id]?.value)).size > 1);
}

function growingSystem(system: string, sizes: readonly Sized[]): ReportGrowingSystem {
  const points = sizes.map(({ system: { runs }, row: { cells, seeds } }) => ({
    passages: runs[0]!.record.dataset.passageCount!,
    distractors: countOf(runs[0]!.record),
    seeds,
    cells: withoutPlaces(cells),
  }));
  const timed = points.flatMap(({ passages, cells }) => {
    const ms = cells[searchColumn]?.value;
    return ms === undefined ? [] : [{ passages, ms }];
  });
  const records = sizes.flatMap(({ system: { runs } }) => runs.map(({ record }) => record));
  const indexes = sizes.at(-1)!.system.runs.flatMap(({ record: { index } }) => index ?? []);
  const passages = indexes[0]?.projectedPassages;
  const law =
    timed.length === 0 || passages === undefined
      ? undefined
      : new Set(records.map(stateOf)).size > 1
        ? { refused: 'the sizes were run by different states of the program' }
        : lawOf(timed, passages, onOneDevice(records));
  const holds = law !== undefined && 'r2' in law && law.refused === undefined ? law : undefined;
  return {
    ...{ system, points },
    ...(passages !== undefined && {
      projected: {
        passages,
        bytes: Math.round(mean(indexes.map(({ projectedBytes }) => projectedBytes))),
        ...(holds && { searchMs: holds.projectedMs }),
      },
    }),
    ...(law && { law }),
  };
}

/** The best of one size is not the best of a column of sizes. */
const withoutPlaces = (cells: ReportSystem['cells']): ReportSystem['cells'] =>
  Object.fromEntries(Object.entries(cells).map(([id, { place: _, ...cell }]) => [id, cell]));

/** @param timed by size, ascending @param projectedPassages N that it is to be projected to @param comparable whether all were timed on one device, the index in memory or not */
export function lawOf(
  timed: readonly { passages: number; ms: number }[],
  projectedPassages: number,
  comparable: boolean,
): ReportGrowthLaw {
  if (!comparable) return { refused: 'the sizes were timed on different devices' };
  if (timed.length < lawBounds.sizes)
    return { refused: `${timed.length} sizes were timed, and a law needs ${lawBounds.sizes}` };
  const spread = timed.at(-1)!.passages / timed[0]!.passages;
  if (spread < lawBounds.spread)
    return {
      refused: `the largest size is ${spread.toFixed(1)} times the smallest, and a law needs ${lawBounds.spread}`,
    };
  const { intercept, slope, r2, residuals, at } = fitLine(
    timed.map(({ passages }) => passages),
    timed.map(({ ms }) => ms),
  );
  if (r2 === undefined) return { refused: 'every size took the same time' };
  const relative = residuals.map((residual, i) => residual / timed[i]!.ms);
  const { value, interval } = at(projectedPassages);
  const projectedMs = { value, interval: { low: interval!.low, high: interval!.high } };
  const fit = { interceptMs: intercept, msPerPassage: slope, r2, residuals: relative, projectedMs };
  const worst = Math.max(...relative.map(Math.abs));
  if (slope <= 0) return { ...fit, refused: 'more passages did not take longer' };
  if (r2 < lawBounds.r2) return { ...fit, refused: `R² ${r2.toFixed(3)} is below ${lawBounds.r2}` };
  if (worst > lawBounds.residual)
    return {
      ...fit,
      refused: `it misses a size by ${(100 * worst).toFixed(0)} %, more than ${100 * lawBounds.residual} %`,
    };
  if (interval!.low <= 0)
    return {
      ...fit,
      refused: `its 95 % interval at ${projectedPassages.toLocaleString('en-US')} passages reaches 0`,
    };
  return fit;
}

/** How a projected time came about, or why there is none. */
function noteOf({ system, law, points, projected }: ReportGrowingSystem): string[] {
  if (law === undefined) return [];
  const fit =
    'r2' in law
      ? `search takes ${spell(law.interceptMs)} ms and ${spell(1e6 * law.msPerPassage)} ms a million passages, least squares of the medians of ${law.residuals.length} sizes: R² ${law.r2.toFixed(4)}, residuals ${law.residuals.map(signed).join(', ')}`
      : undefined;
  if (law.refused !== undefined)
    return [
      `${system}: no search time is projected: ${law.refused}.${fit === undefined ? '' : ` By the line, ${fit}.`}`,
    ];
  const times = projected === undefined ? 0 : projected.passages / points.at(-1)!.passages;
  return [
    `${system}: ${fit}. ${projected!.passages.toLocaleString('en-US')} passages are ${times < 10 ? times.toFixed(1) : Math.round(times).toLocaleString('en-US')} times the largest size measured; the law holds there only if the index lies in memory as it did here.`,
  ];
}

const spell = (value: number): string => String(Number(value.toPrecision(3)));
const signed = (share: number): string => `${share < 0 ? '−' : '+'}${(100 * Math.abs(share)).toFixed(1)} %`;
