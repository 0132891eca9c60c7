/** `bench compare`: which of several systems is better, by how much and how sure. */
import { BenchError } from '../errors.js';
import { readSlices } from '../interchange/slices.js';
import { jsonText } from '../json.js';
import { printable } from '../printable.js';
import { readRecords, type StoredRecord } from '../record.js';
import type { Command } from './command.js';
import { comparisonText } from './comparison-text.js';
import { sliceOption } from './options.js';
import { decimal, measuresIn } from './request.js';

export const command: Command = {
  usage: 'RECORD... [--measure M[,...]] [options]',
  description:
    "Compares systems by their run records, paired by query. The first system is the baseline. Runs that differ only in their seed are one system: each query then has its mean over the seeds that both systems have. With one seed, measures of 0 and 1 are tested by McNemar's exact test; all else over queries by the paired t-test, with the randomization test beside it. Refuses what cannot be paired: other queries, another dataset, version or split, other seeds.",
  options: {
    measure: { type: 'text', describe: 'measures to compare; all where absent' },
    baseline: { type: 'text', describe: 'system that the others are compared with; the first where absent' },
    'common-seeds': { type: 'switch', describe: 'pair the seeds that both systems have where they differ' },
    uncorrected: { type: 'switch', describe: "leave out Holm's correction" },
    slice: sliceOption,
    equivalence: {
      type: 'text',
      describe:
        'test too whether systems are as good as equal: the margin, in the unit of the measure (0.01)',
    },
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
    [
      'bench compare a.record.json b.record.json --measure ndcg@10 --equivalence 0.01',
      'whether B is as good as A, to a point',
    ],
  ],
  async run(values, targets, print) {
    const { measure, baseline } = values;
    const equivalence = decimal(values, 'equivalence');
    const { compareRecords, compareSlices, failuresIn } = await import('../comparison.js');
    const records = await recordsIn(targets);
    for (const line of failuresIn(records)) process.stderr.write(printable(`note: ${line}\n`));
    const request = {
      ...(measure !== undefined && { measures: measuresIn('measure', String(measure), records) }),
      ...(baseline !== undefined && { baseline: String(baseline) }),
      commonSeeds: values['common-seeds'] === true,
      ...(equivalence !== undefined && { equivalence }),
      correction: values.uncorrected === true ? 'none' : 'holm',
    } as const;
    // A slip in the file is better known before anything is computed.
    const slices = values.slice === undefined ? undefined : await readSlices(String(values.slice));
    const sliced = slices === undefined ? [] : compareSlices(records, slices, request);
    const comparisons = [...compareRecords(records, request), ...sliced];
    print(values.json === true ? jsonText(comparisons) : comparisons.map(comparisonText).join('\n'));
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
