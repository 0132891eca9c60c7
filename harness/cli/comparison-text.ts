/** What `bench compare` prints of one system against another. */

import type { ReportComparison, ReportTest } from '../contracts.js';
import { counted } from '../counted.js';
import { noteLines, probability } from './lines.js';
import { renderTable } from './table.js';

export function comparisonText(comparison: ReportComparison): string {
  const { baseline, candidate, slice, queryCount, measures, latency } = comparison;
  const { seeds, overQueries } = measures[0]!;
  const several = seeds.length > 1;
  const seed = several
    ? ', each with its mean over the seeds'
    : overQueries.seed === null
      ? ''
      : `, seed ${overQueries.seed}`;
  const parts = [
    `${slice === undefined ? '' : `slice: ${slice}\n`}A: ${baseline}\nB: ${candidate}\n`,
    `over ${counted(queryCount, 'queries')}${seed}\n${testTable(comparison, 'overQueries')}`,
  ];
  if (several) {
    parts.push(
      `over ${counted(seeds.length, 'seeds')} (${seeds.join(', ')})\n${testTable(comparison, 'overSeeds')}`,
    );
  }
  const margin = overQueries.equivalence?.margin;
  if (margin !== undefined)
    parts.push(`as good as equal, within ±${margin}\n${equivalenceTable(comparison)}`);
  if (latency.length > 0) {
    const rows = latency.map(({ part, ratio, interval, paired }) => [
      part,
      ratio.toFixed(3),
      `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`,
      paired ? 'by query' : 'not paired',
    ]);
    parts.push(`latency\n${renderTable(['', 'B/A', '95% interval', 'paired'], rows, 'lrrl', 1)}`);
  }
  parts.push(noteLines(notesOf(comparison)));
  return parts.join('\n');
}

type Over = 'overQueries' | 'overSeeds';

function testTable({ measures }: ReportComparison, over: Over): string {
  const header = ['', 'A', 'B', 'B-A', '95% interval', 'p', 'corrected', 'effect', 'win/tie/loss'];
  const rows = measures.map((each) => [
    each.measure,
    number(each.baseline),
    number(each.candidate),
    ...cellsOf(each[over]),
  ]);
  return renderTable(header, rows, `l${'r'.repeat(header.length - 1)}`, 1);
}

/** Over queries, and over seeds where there are several. */
function equivalenceTable({ measures }: ReportComparison): string {
  const header = ['', 'over', 'B-A', '90% interval', 'p', 'corrected', ''];
  const rows = measures.flatMap(({ measure, seeds, overQueries, overSeeds }) =>
    [overQueries, ...(seeds.length > 1 ? [overSeeds] : [])].map(({ difference, equivalence }, i) => [
      measure,
      i === 0 ? 'queries' : 'seeds',
      signed(difference),
      equivalence?.interval === undefined ? '-' : intervalText(equivalence.interval),
      probability(equivalence?.p),
      probability(equivalence?.correctedP),
      isShown(equivalence?.correctedP) ? 'equivalent' : 'not shown',
    ]),
  );
  return renderTable(header, rows, 'llrrrrl', 1);
}

const isShown = (correctedP: number | undefined) => correctedP !== undefined && correctedP < 0.05;

const intervalText = ({ low, high }: { low: number; high: number }) => `${signed(low)} to ${signed(high)}`;

function cellsOf({
  difference,
  interval,
  p,
  correctedP,
  effectSize,
  wins,
  ties,
  losses,
}: ReportTest): string[] {
  return [
    signed(difference),
    interval === undefined ? '-' : intervalText(interval),
    probability(p),
    probability(correctedP),
    effectSize === undefined ? '-' : `${effectSize.name} ${effectSize.value?.toFixed(2) ?? 'infinite'}`,
    `${wins}/${ties}/${losses}`,
  ];
}

function notesOf({ slice, measures, latencyNotes, correction, familySize }: ReportComparison): string[] {
  const severalSeeds = measures[0]!.seeds.length > 1;
  const random = measures.flatMap(({ measure, overQueries: { randomization } }) =>
    randomization === undefined ? [] : [`${measure} ${probability(randomization.p)}`],
  );
  return [
    `over queries by ${testsOf(measures)}`,
    ...(severalSeeds
      ? ["means over seeds are not 0 or 1, so McNemar's test is left to comparisons of one seed"]
      : []),
    ...(random.length === 0
      ? []
      : [`p of the paired randomization test, not corrected: ${random.join(', ')}`]),
    severalSeeds
      ? 'over seeds by paired t'
      : 'one seed: whether the difference lasts over seeds is not known',
    correction === 'holm'
      ? `corrected by Holm over ${counted(familySize.overQueries, 'tests')} over queries and ${familySize.overSeeds} over seeds${slice === undefined ? '' : ', all slices together'}`
      : 'p-values are not corrected',
    ...latencyNotes,
    ...(measures[0]!.overQueries.equivalence === undefined
      ? []
      : [
          `as good as equal by two one-sided t-tests, corrected over all measures${slice === undefined ? '' : ', slices'} and systems; a difference that is not significant is no proof of it`,
        ]),
    ...measures.flatMap(({ measure, overQueries, overSeeds }) => [
      ...(overQueries.equivalence?.reason === undefined
        ? []
        : [`${measure} over queries, as good as equal: ${overQueries.equivalence.reason}`]),
      ...(overQueries.reason === undefined ? [] : [`${measure} over queries: ${overQueries.reason}`]),
      ...(severalSeeds && overSeeds.reason !== undefined
        ? [`${measure} over seeds: ${overSeeds.reason}`]
        : []),
    ]),
  ];
}

const number = (value: number): string => value.toFixed(4);

const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(4)}`;

/** Each test over queries with the measures that it judged. */
export function testsOf(measures: ReportComparison['measures']): string {
  const tests = new Set(measures.map(({ overQueries }) => overQueries.test));
  const judgedBy = (test: string) => measures.filter(({ overQueries }) => overQueries.test === test);
  return [...tests]
    .map(
      (test) =>
        `${test} (${judgedBy(test)
          .map(({ measure }) => measure)
          .join(', ')})`,
    )
    .join('; ');
}
