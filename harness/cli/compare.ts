/** `bench compare`: which of several systems is better, by how much and how sure. */
import type { ReportComparison, ReportTest } from '../contracts.js';
import { BenchError } from '../errors.js';
import { printable } from '../printable.js';
import { readRecords, type StoredRecord } from '../record.js';
import type { Command } from './command.js';
import { measuresIn } from './request.js';
import { renderTable } from './table.js';

export const command: Command = {
  usage: 'RECORD... [--measure M[,...]] [options]',
  description:
    "Compares systems by their run records, paired by query. The first system is the baseline. Runs that differ only in their seed are one system: each query then has its mean over the seeds that both systems have. With one seed, measures of 0 and 1 are tested by McNemar's exact test; all else over queries by the paired t-test, with the randomization test beside it. Refuses what cannot be paired: other queries, another dataset, version or split, other seeds.",
  options: {
    measure: { type: 'text', describe: 'measures to compare; all where absent' },
    baseline: { type: 'text', describe: 'system that the others are compared with; the first where absent' },
    'common-seeds': { type: 'switch', describe: 'pair the seeds that both systems have where they differ' },
    uncorrected: { type: 'switch', describe: "leave out Holm's correction" },
    json: { type: 'switch', describe: 'print the comparisons as JSON' },
  },
  maxArguments: Number.POSITIVE_INFINITY,
  examples: [
    [
      'bench compare results/squad-dual-encoder-*.record.json results/squad-mlr-sc-*.record.json',
      'by architecture',
    ],
    [
      'bench compare old/a.record.json new/a.record.json --measure mrr@10 --json',
      'before and after a change',
    ],
  ],
  async run(values, targets, print) {
    const { measure, baseline } = values;
    const { compareRecords, failuresIn } = await import('../comparison.js');
    const records = await recordsIn(targets);
    for (const line of failuresIn(records)) process.stderr.write(printable(`note: ${line}\n`));
    const comparisons = compareRecords(records, {
      ...(measure !== undefined && { measures: measuresIn('measure', String(measure), records) }),
      ...(baseline !== undefined && { baseline: String(baseline) }),
      commonSeeds: values['common-seeds'] === true,
      correction: values.uncorrected === true ? 'none' : 'holm',
    });
    print(
      values.json === true
        ? `${JSON.stringify(comparisons, null, 2)}\n`
        : comparisons.map(comparisonText).join('\n'),
    );
    return 0;
  },
};

/** @throws BenchError RECORD_INVALID, which for a file of hits says how hits are compared */
async function recordsIn(targets: readonly string[]): Promise<StoredRecord[]> {
  try {
    return await readRecords(targets);
  } catch (error) {
    if (!(error instanceof BenchError) || error.code !== 'RECORD_INVALID') throw error;
    const { looksLikeRun } = await import('../interchange/run-file.js');
    const runs: string[] = [];
    for (const target of new Set(targets)) if (await looksLikeRun(target)) runs.push(target);
    if (runs.length === 0) throw error;
    throw new BenchError(
      'RECORD_INVALID',
      `${runs.join(', ')}: a run, a file of hits, and compare takes run records.`,
      {
        hint: `Hits are compared by what they are judged with: bench evaluate ${runs.map((file) => `--run ${file}`).join(' ')}${runs.length === 1 ? ' --run OTHER' : ''} --qrels FILE`,
        cause: error,
      },
    );
  }
}

function comparisonText(comparison: ReportComparison): string {
  const { baseline, candidate, queryCount, measures, latency } = comparison;
  const { seeds, overQueries } = measures[0]!;
  const several = seeds.length > 1;
  const seed = several
    ? ', each with its mean over the seeds'
    : overQueries.seed === null
      ? ''
      : `, seed ${overQueries.seed}`;
  const parts = [
    `A: ${baseline}\nB: ${candidate}\n`,
    `over ${queryCount.toLocaleString('en-US')} queries${seed}\n${testTable(comparison, 'overQueries')}`,
  ];
  if (several) {
    parts.push(`over ${seeds.length} seeds (${seeds.join(', ')})\n${testTable(comparison, 'overSeeds')}`);
  }
  if (latency.length > 0) {
    const rows = latency.map(({ part, ratio, interval, paired }) => [
      part,
      ratio.toFixed(3),
      `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`,
      paired ? 'by query' : 'not paired',
    ]);
    parts.push(`latency\n${renderTable(['', 'B/A', '95% interval', 'paired'], rows, 'lrrl', 1)}`);
  }
  parts.push(
    notesOf(comparison)
      .map((note) => `note: ${note}\n`)
      .join(''),
  );
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
    interval === undefined ? '-' : `${signed(interval.low)} to ${signed(interval.high)}`,
    probability(p),
    probability(correctedP),
    effectSize === undefined ? '-' : `${effectSize.name} ${effectSize.value?.toFixed(2) ?? 'infinite'}`,
    `${wins}/${ties}/${losses}`,
  ];
}

function notesOf({ measures, latencyNotes, correction, familySize }: ReportComparison): string[] {
  const tests = [...new Set(measures.map(({ overQueries }) => overQueries.test))].map((test) => {
    const tested = measures.filter(({ overQueries }) => overQueries.test === test);
    return `${test} (${tested.map(({ measure }) => measure).join(', ')})`;
  });
  const severalSeeds = measures[0]!.seeds.length > 1;
  const random = measures.flatMap(({ measure, overQueries: { randomization } }) =>
    randomization === undefined ? [] : [`${measure} ${probability(randomization.p)}`],
  );
  return [
    `over queries by ${tests.join('; ')}`,
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
      ? `corrected by Holm over ${familySize.overQueries} tests over queries and ${familySize.overSeeds} over seeds`
      : 'p-values are not corrected',
    ...latencyNotes,
    ...measures.flatMap(({ measure, overQueries, overSeeds }) => [
      ...(overQueries.reason === undefined ? [] : [`${measure} over queries: ${overQueries.reason}`]),
      ...(severalSeeds && overSeeds.reason !== undefined
        ? [`${measure} over seeds: ${overSeeds.reason}`]
        : []),
    ]),
  ];
}

function number(value: number): string {
  return value.toFixed(4);
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(4)}`;
}

function probability(p: number | undefined): string {
  if (p === undefined) return '-';
  return p < 0.0001 ? '<0.0001' : p.toFixed(4);
}
