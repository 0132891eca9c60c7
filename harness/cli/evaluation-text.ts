/** What `bench evaluate` prints of one run. */
import { counted } from '../counted.js';
import type { Evaluation } from '../metrics/evaluate.js';
import type { RunRecord } from '../record.js';
import { noteLines } from './lines.js';
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
