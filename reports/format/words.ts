/** Sentences that more than one report needs. */
import type {
  ReportCell,
  ReportCheck,
  ReportColumn,
  ReportSection,
  ReportSystem,
} from '../../harness/contracts.js';
import { countOf, formatNumber, formatP, formatSigned, showsDeviation, showsInterval } from './numbers.js';

export function headingOfSection({ dataset }: ReportSection): string {
  const { name, version, split, queryCount, passageCount, members } = dataset;
  const passages = passageCount === null ? '' : `, ${passageCount.toLocaleString('en-US')} passages`;
  const units = members === undefined ? 'queries' : 'datasets, their means averaged';
  return `${name} ${version}, ${split}: ${queryCount.toLocaleString('en-US')} ${units}${passages}`;
}

/**
 * What a section found, in a sentence: the best system by the measure that charts go by, what it gains on the baseline, and
 * what its index and its search cost beside the baseline's. Empty where no run was finished.
 */
export function findingOf({ measure, columns, systems, baseline, comparisons }: ReportSection): string {
  const column = columns.find(({ id }) => id === measure);
  const best = column && bestBy(column, systems);
  if (column === undefined || best === undefined) return '';
  const cell = best.cells[column.id]!;
  const figure = `${formatNumber(cell.value, column.unit)}${column.unit === 'share' ? ' %' : ''}`;
  if (baseline === undefined || best.name === baseline) {
    const others = systems.length > 1 ? `, the best of ${systems.length} systems` : '';
    return `${best.name} has ${column.label} ${figure}${others}.`;
  }
  const compared = comparisons.find(({ candidate }) => candidate === best.name);
  const test = compared?.measures.find((each) => each.measure === column.id)?.overQueries;
  const gained =
    test === undefined
      ? ''
      : `: ${formatSigned(test.difference, column.unit)}${column.unit === 'share' ? ' points' : ''} against ${baseline} (corrected p ${formatP(test.correctedP)})`;
  const bytes = [best, systems.find(({ name }) => name === baseline)].map(
    (system) => system?.cells['index-bytes']?.value,
  );
  // Where latencies cannot be compared there is no ratio of them.
  const search = compared?.latency.find(({ part }) => part === 'search')?.ratio;
  const costs = [
    ...(bytes[0] && bytes[1] ? [`an index of ×${(bytes[0] / bytes[1]).toFixed(2)}`] : []),
    ...(search === undefined ? [] : [`a search of ×${search.toFixed(2)}`]),
  ];
  const cost = costs.length === 0 ? '' : `, with ${costs.join(' and ')}`;
  return `${best.name} has the best ${column.label}, ${figure}${gained}${cost}.`;
}

function bestBy(
  { id, higherIsBetter }: ReportColumn,
  systems: readonly ReportSystem[],
): ReportSystem | undefined {
  const value = (system: ReportSystem) => (higherIsBetter ? 1 : -1) * (system.cells[id]?.value ?? Number.NaN);
  return systems
    .filter((system) => system.cells[id] !== undefined)
    .reduce<ReportSystem | undefined>(
      (best, system) => (best === undefined || value(system) > value(best) ? system : best),
      undefined,
    );
}

/** The day of a moment, `2 January 2026`, UTC. */
export function dayOf(moment: string): string {
  const date = new Date(moment);
  return date.toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
}

/** The days on which the runs of a section were made: `2 January 2026`, `2 January 2026 to 5 March 2026`. */
export function daysOf({ runs }: ReportSection): string {
  const moments = runs.map(({ createdAt }) => createdAt).sort();
  const [first, last] = [moments[0], moments.at(-1)].map((moment) =>
    moment === undefined ? '' : dayOf(moment),
  );
  return first === last ? first! : `${first} to ${last}`;
}

/** What a check came to: `9 of 12 comparisons got worse`. */
export function headlineOf(checks: readonly ReportCheck[]): string {
  const of = (...verdicts: ReportCheck['verdict'][]) =>
    checks.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const compared = of('same', 'better', 'worse');
  const aside = of('not compared');
  const without = aside === 0 ? '' : `${aside} not compared`;
  if (of('worse') === 0) {
    return `nothing got worse (${compared} comparisons${without === '' ? '' : `, ${without}`})`;
  }
  return `${of('worse')} of ${compared} comparisons got worse${without === '' ? '' : ` (${without})`}`;
}

/** The checks in the order that a reader needs them, each kind under a title. */
export function checksInOrder(
  checks: readonly ReportCheck[],
): { title: string; checks: readonly ReportCheck[] }[] {
  const of = (wanted: ReportCheck['verdict']) => checks.filter(({ verdict }) => verdict === wanted);
  const same = of('same');
  return [
    { title: 'Settings that changed', checks: of('changed') },
    { title: 'Worse', checks: of('worse') },
    {
      title: 'Worse by one sign, and not counted',
      checks: same.filter(({ spared }) => spared !== undefined),
    },
    { title: 'Better', checks: of('better') },
    { title: 'Not compared', checks: of('not compared') },
    {
      title: 'Unchanged within the thresholds',
      checks: same.filter(({ spared }) => spared === undefined),
    },
  ].filter((group) => group.checks.length > 0);
}

/** By how much, how sure, and what kept it from counting. */
export function detailOf({ detail, spared }: ReportCheck): string {
  return spared === undefined ? detail : `${spared} (${detail})`;
}

/** What stands beside or below some numbers of the tables; empty where nothing does. */
function intervalLegend({ columns, systems }: ReportSection, where: 'Beside' | 'Below'): string {
  const shown = systems.some(({ cells }) =>
    columns.some((column) => cells[column.id] !== undefined && showsInterval(cells[column.id]!, column)),
  );
  const second = columns.some(({ detail }) => detail === true) ? ' and of the second table' : '';
  return shown
    ? `${where} numbers of one seed${second}: the 95 % interval, by bootstrap over queries or samples.`
    : '';
}

/** What the marks of the table mean, as far as it has them. */
export function legendOf(
  section: ReportSection,
  best: string,
  second: string,
  intervals: 'Beside' | 'Below',
): string {
  const { baseline, comparisons, columns } = section;
  const cells = section.systems.flatMap((system) =>
    columns.flatMap((column) => ({ column, cell: system.cells[column.id] })),
  );
  const has = (wanted: (cell: ReportCell, column: ReportColumn) => boolean) =>
    cells.some(({ cell, column }) => cell !== undefined && wanted(cell, column));
  const sentences: string[] = [];
  if (has(({ place }) => place === 'best'))
    sentences.push(
      `${best} is the best of a column${has(({ place }) => place === 'second') ? `, ${second} the second` : ''}.`,
    );
  if (baseline !== undefined && comparisons.length > 0) {
    const { familySize, correction } = comparisons[0]!;
    const seeds = comparisons.some((each) => each.familySize.overSeeds > 0) ? ', † over seeds' : '';
    const several = comparisons.some(({ measures }) => measures.some((measure) => measure.seeds.length > 1));
    const means = several ? ' (each with its mean over the seeds both have)' : '';
    const corrected =
      correction === 'holm'
        ? `corrected by Holm over ${countOf(familySize.overQueries, 'test')}`
        : 'not corrected';
    sentences.push(`* differs from ${baseline} over queries${means}${seeds} (p < 0.05, ${corrected}).`);
  }
  if (has(showsDeviation)) sentences.push('± is the standard deviation over seeds.');
  if (has((_, { group }) => group === 'latency'))
    sentences.push('Latencies are medians of one query at a time.');
  sentences.push(intervalLegend(section, intervals));
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

/** How the statistics were made, for the reader who wants to know. */
export const statisticsMethod: readonly string[] = [
  'Systems are paired by query; the same queries are asserted, never intersected. A query without hits scores 0.',
  "Over queries, each query has its mean over the seeds that both systems have. With one seed, measures that are 0 or 1 for every query are tested by McNemar's exact test; others, and means over several seeds, by the paired t-test.",
  'Over seeds, the means of the seeds are paired and tested by the paired t-test.',
  "p-values are corrected by Holm's method over all measures of all systems of a dataset, over queries and over seeds apart.",
  'Places are those that the tests of all pairs leave open, corrected together by Holm; their intervals are by bootstrap over queries and seeds.',
  'Intervals are at 95 %: of accuracy by bootstrap over queries (each with its mean over seeds), of latency by bootstrap over the samples.',
  'Latencies are compared as ratios of medians, and only where engine, device, searcher, threads and processor agree; a system without an engine, such as BM25, is held to the same machine.',
];
