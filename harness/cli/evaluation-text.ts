/** What `bench evaluate` prints: of one run, and of slices of the queries. */
import type { Slices } from '../comparison.js';
import type { ReportComparison } from '../contracts.js';
import { counted } from '../counted.js';
import type { Evaluation } from '../metrics/evaluate.js';
import type { RunRecord, StoredRecord } from '../record.js';
import { noteLines, probability } from './lines.js';
import { renderTable } from './table.js';

/** One run against its qrels. */
export interface Evaluated {
  evaluation: Evaluation;
  /** Of how the run was read. */
  remarks: readonly string[];
  record(): Promise<RunRecord>;
}

export function textOf(evaluation: Evaluation, remarks: readonly string[], perQuery: boolean): string {
  const { queryIds, measures } = evaluation;
  const ids = [...measures.keys()];
  const row = (name: string, value: (id: string) => number) => [
    name,
    ...ids.map((id) => value(id).toFixed(4)),
  ];
  const rows = perQuery
    ? queryIds.map((queryId, q) => row(queryId, (id) => measures.get(id)!.perQuery[q]!))
    : [];
  rows.push(row('all', (id) => measures.get(id)!.mean));
  const table = renderTable(['query', ...ids], rows, `l${'r'.repeat(ids.length)}`, 1);
  return `${table}${noteLines([...remarks, ...notesOf(evaluation)])}`;
}

export function notesOf({ queryIds, withoutHits, judgedHits, leftOut, judgedLeftOut }: Evaluation): string[] {
  const notes = [counted(queryIds.length, 'queries')];
  if (judgedHits === 0 && withoutHits < queryIds.length)
    notes.push(
      'nobody judged any of the hits: are the passage ids of the run written as those of the qrels?',
    );
  if (withoutHits > 0)
    notes.push(`${withoutHits} of them ${withoutHits === 1 ? 'has' : 'have'} no hits and scored 0`);
  if (judgedLeftOut > 0)
    notes.push(
      `${counted(judgedLeftOut, 'judged queries have no hits and were', 'judged query has no hits and was')} left out, as trec_eval does; --complete counts them as 0`,
    );
  if (leftOut > 0)
    notes.push(
      `${counted(leftOut, 'queries of the run have no qrels and were', 'query of the run has no qrels and was')} left out`,
    );
  return notes;
}

/** The corrected p over queries of one measure; `-` where no test could judge. */
export function pOf({ measures }: ReportComparison, id: string): string {
  return probability(measures.find(({ measure }) => measure === id)?.overQueries.correctedP);
}

/**
 * A table of the means of each run on each slice; below each but the first its p against the first.
 * @throws BenchError DATA_INVALID where the slices do not fit the queries
 */
export async function sliceText(records: readonly StoredRecord[], slices: Slices): Promise<string> {
  const { showSlices } = await import('../comparison.js');
  const shown = showSlices(records, slices);
  const ids = Object.keys(records[0]!.record.measures);
  const rows = shown.slices.flatMap(({ name, queryCount, systems }) =>
    systems.flatMap(({ system, cells }, i) => {
      const compared = shown.comparisons.find((each) => each.slice === name && each.candidate === system);
      const heading = i === 0 ? [name, String(queryCount)] : ['', ''];
      const means = [...heading, system, ...ids.map((id) => cells[id]?.value.toFixed(4) ?? '-')];
      return compared === undefined
        ? [means]
        : [means, ['', '', '  p', ...ids.map((id) => pOf(compared, id))]];
    }),
  );
  const table = renderTable(['slice', 'queries', 'run', ...ids], rows, `lrl${'r'.repeat(ids.length)}`, 3);
  const [first] = shown.comparisons;
  if (first === undefined) return table;
  return `${table}note: p of the slices: corrected by Holm over ${counted(first.familySize.overQueries, 'tests')} of all slices\n`;
}
