/** The section of a report: the systems of one dataset, version and split. */
import type { Prices, ReportSection } from '../contracts.js';
import { BenchError } from '../errors.js';
import type { StoredRecord } from '../record.js';
import { mean } from '../statistics/summary.js';
import { alignSystems } from '../statistics/systems.js';
import { baselineOf, compareWithBaseline, failuresIn, sharedMeasures } from './compare.js';
import { givenHitsNotes, inOneOrder } from './given-hits.js';
import { indexCurvesOf } from './index-curves.js';
import { lossNotes } from './index-losses.js';
import { isoCostOf } from './iso-cost.js';
import { p99Notes } from './latency.js';
import { loadOf } from './load.js';
import { frontsOf, trainingOf, variationsOf } from './pictures.js';
import { pricesOf } from './prices.js';
import { coldNotes } from './protocol-costs.js';
import { queryDifferences, type TextSource } from './queries.js';
import { ranksOf } from './ranks.js';
import { runOf, valuesIn } from './single-runs.js';
import { type Slices, slicesOf } from './slices.js';
import { firstOf, groupSystems, pairOfValues, type System } from './systems.js';
import { comparableOn, tableOf } from './table.js';
import { winnersOf } from './winners.js';

export interface ReportRequest {
  /** Name of the system that stars refer to; `dual-encoder` where it is there, else the first. */
  baseline?: string;
  /** Measures of the table; all where absent. The first of them is what charts go by. */
  measures?: readonly string[];
  /** Ids of the columns shown, in this order, those of measures among them; all where absent. */
  columns?: readonly string[];
  title?: string;
  label?: string;
  commonSeeds?: boolean;
  /** The slice of every query, where systems are shown on slices too. */
  slices?: Slices;
  /** By which systems are shown to cost money. */
  prices?: Prices;
  /** Whether the values of every query are wanted. */
  values?: boolean;
  /** Whether the two best systems are shown query by query. */
  texts?: TextSource;
}

const paperSizes =
  'At 21 M passages the index of the paper takes 60 GiB with one vector of 768 numbers per passage, 481 GiB with eight.';
const usualBaseline = 'dual-encoder';
/** What charts go by where nobody says: the paper's headline measure, and what stands for it elsewhere. */
const usualMeasures = ['answer@20', 'success@20', 'ndcg@10', 'mrr@10'];

export async function sectionOf(
  records: readonly StoredRecord[],
  request: ReportRequest,
): Promise<ReportSection> {
  const systems = inOrder(groupSystems(records), request.baseline);
  const notes: string[] = [];
  const baseline = chooseBaseline(systems, request.baseline);
  const pairable = pairableWith(baseline, systems, request, notes);
  const measures = comparedMeasures(systems, request.measures);
  const comparing = { measures, commonSeeds: request.commonSeeds === true, permutations: 1000 };
  const comparisons =
    baseline === undefined || pairable.length === 0 ? [] : compareWithBaseline(baseline, pairable, comparing);
  const slices = request.slices && slicesOf(systems, baseline, pairable, request.slices, comparing);
  const { columns, rows, notes: missing } = tableOf(systems, comparisons, request);
  const ranks = ranksOf(systems, measures, notes);
  const accuracies = columns.filter(({ group }) => group === 'accuracy');
  const usual = usualMeasures.find((id) => accuracies.some((column) => column.id === id));
  const measure = accuracies.find(({ id }) => id === (request.measures?.[0] ?? usual)) ?? accuracies[0];
  const comparable = comparableOn(systems);
  if (!comparable) {
    notes.push(
      'Latencies were measured on different devices and must not be compared: each stands with its device below.',
    );
  }
  notes.push(
    ...givenHitsNotes(systems),
    ...missing,
    ...failuresIn(records),
    ...p99Notes(systems),
    ...coldNotes(systems),
  );
  if (columns.some(({ id }) => id === 'projected-bytes')) notes.push(paperSizes);
  const ordered = inOneOrder(systems);
  const costed = rows.filter((_, i) => ordered.includes(systems[i]!));
  const isoCost = measure && isoCostOf(ordered, costed, measure, comparable);
  const load = loadOf(systems.map(({ name, runs }) => ({ name, records: runs.map((run) => run.record) })));
  const best = measure && bestTwo(systems, measure.id, measure.higherIsBetter);
  const queries =
    best && request.texts && measure ? await queryDifferences(best, measure.id, request.texts) : undefined;
  const indexCurves = indexCurvesOf(systems, rows, request.measures?.[0]);
  for (const curve of indexCurves?.curves ?? []) notes.push(...lossNotes(curve));
  const { dataset, queryIds } = records[0]!.record;
  const { name, version, split, licence, passageCount, files, members } = dataset;
  if (members !== undefined) {
    notes.push(
      `Figures are means over ${members.length} datasets, each counting the same; what is said of queries is said of these datasets.`,
    );
  }
  return {
    dataset: {
      ...{ name, version, split, licence, passageCount, queryCount: queryIds.length, files },
      ...(members && { members }),
    },
    ...(baseline && systems.length > 1 && { baseline: baseline.name }),
    ...(measure && { measure: measure.id }),
    columns,
    systems: rows,
    comparisons,
    ...(ranks && { ranks }),
    ...(slices && { slices }),
    ...(load && { load }),
    ...(isoCost && { isoCost }),
    ...(request.prices && { prices: pricesOf(systems, request.prices) }),
    fronts: measure === undefined ? [] : frontsOf(costed, measure, comparable),
    variations: variationsOf(rows),
    training: trainingOf(systems),
    winners: winnersOf(systems),
    ...(indexCurves && { indexCurves }),
    ...(queries && { queries }),
    runs: records.map((stored) => runOf(stored, systems)),
    ...(request.values === true && {
      values: systems.flatMap((system) => valuesIn(system, request.measures)),
    }),
    notes: [...new Set(notes)],
  };
}

/** The baseline first, then architecture by architecture, M=2 before M=10. */
function inOrder(systems: readonly System[], asked?: string): System[] {
  const baseline = chooseBaseline(systems, asked);
  const architectures = [...new Set(systems.map((system) => firstOf(system).arch.name))];
  const { compare } = new Intl.Collator('en', { numeric: true });
  const rank = (system: System) =>
    system === baseline ? -1 : architectures.indexOf(firstOf(system).arch.name);
  return [...systems].sort((a, b) => rank(a) - rank(b) || compare(a.name, b.name));
}

function chooseBaseline(systems: readonly System[], asked?: string): System | undefined {
  if (asked !== undefined && systems.some(({ name }) => name === asked)) return baselineOf(systems, asked);
  return systems.find((system) => firstOf(system).arch.name === usualBaseline) ?? systems[0];
}

/** Those asked for that all systems hold. */
function comparedMeasures(systems: readonly System[], asked?: readonly string[]): string[] {
  if (systems.length === 0) return [];
  const shared = sharedMeasures(systems);
  return asked === undefined ? shared : shared.filter((id) => asked.includes(id));
}

/** What cannot be compared is shown without stars, and the reason with it. */
function pairableWith(
  baseline: System | undefined,
  systems: readonly System[],
  { measures, commonSeeds }: ReportRequest,
  notes: string[],
): System[] {
  const candidates = systems.filter((system) => system !== baseline);
  if (baseline === undefined || candidates.length === 0 || measures?.length === 0) return [];
  const asked = comparedMeasures(systems, measures);
  if (asked.length === 0) {
    notes.push('No measure is held by all systems, so none is compared.');
    return [];
  }
  return candidates.filter((candidate) => {
    const reason = whyNotPaired(baseline, candidate, asked, commonSeeds === true);
    if (reason !== undefined)
      notes.push(`${candidate.name} is not compared with ${baseline.name}: ${reason}`);
    return reason === undefined;
  });
}

function whyNotPaired(
  baseline: System,
  candidate: System,
  measures: readonly string[],
  commonSeeds: boolean,
): string | undefined {
  try {
    const [a, b] = pairOfValues(baseline, candidate);
    alignSystems(a, b, measures, commonSeeds);
    return undefined;
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    return `${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`;
  }
}

function bestTwo(
  systems: readonly System[],
  measure: string,
  higherIsBetter: boolean,
): [System, System] | undefined {
  const value = ({ runs }: System) =>
    runs.every(({ record }) => record.measures[measure] !== undefined)
      ? mean(runs.map(({ record }) => record.measures[measure]!.mean))
      : Number.NaN;
  const ranked = systems
    .filter((system) => Number.isFinite(value(system)))
    .sort((a, b) => (higherIsBetter ? value(b) - value(a) : value(a) - value(b)));
  return ranked.length < 2 ? undefined : [ranked[0]!, ranked[1]!];
}
