/** Qrels in TREC's four columns, and in the three of BEIR's tables. gzip as in runs. */
import { createHash } from 'node:crypto';
import type { DataFile, Qrels } from '../contracts.js';
import { BenchError } from '../errors.js';
import { eachLine, type Line } from './columns.js';
import { assertFirstColumn, assertId } from './identifiers.js';
import { writeLines } from './text-writer.js';

/**
 * Reads qrels: TREC's `query iteration passage relevance`, or BEIR's `query-id corpus-id score` with or without that
 * header. Queries and passages that no run has are fine.
 * @throws BenchError PATH_INVALID, or DATA_INVALID with the line number: columns, numbers, a passage twice for a query
 */
export async function readQrels(file: string): Promise<Qrels> {
  const qrels = new Map<string, Map<string, number>>();
  let columns = 0;
  let queryId = '';
  let judgements: Map<string, number> | undefined;
  const lineCount = await eachLine(file, 'DATA_INVALID', (line) => {
    line.assertNoBlankInside(3, 4);
    if (line.count !== 3 && line.count !== 4) throw wrongQrelColumns(line);
    if (columns === 0) {
      columns = line.count;
      if (columns === 3 && line.holds(0, 'query-id') && line.holds(1, 'corpus-id')) return;
      if (line.decimalIfAny(columns - 1) === undefined)
        throw line.fault(
          `relevance '${line.column(columns - 1).slice(0, 80)}' is not a number`,
          "Is it a header? The only one that is known is BEIR's: query-id corpus-id score.",
        );
    }
    if (line.count !== columns) throw wrongQrelColumns(line);
    if (judgements === undefined || !line.holds(0, queryId)) {
      queryId = line.column(0);
      judgements = qrels.get(queryId);
      if (judgements === undefined) {
        judgements = new Map();
        qrels.set(queryId, judgements);
      }
    }
    const passageId = line.column(columns - 2);
    if (judgements.has(passageId))
      throw line.fault(`passage '${passageId}' is judged twice for query '${queryId}'`);
    judgements.set(passageId, line.grade(columns - 1, 'relevance'));
  });
  if (lineCount === 0 || qrels.size === 0) throw new BenchError('DATA_INVALID', `${file} holds no qrels.`);
  return qrels;
}

function wrongQrelColumns(line: Line): BenchError {
  return line.wrongCount(
    'TREC qrels have four: query 0 passage relevance. BEIR qrels have three: query-id corpus-id score.',
  );
}

/** The sha256 of the judgements themselves: one for both formats and any order of lines. */
export function hashOfQrels(qrels: Qrels): string {
  const lines: string[] = [];
  for (const [queryId, judgements] of qrels)
    for (const [passageId, relevance] of judgements) lines.push(`${queryId}\t${passageId}\t${relevance}\n`);
  const hash = createHash('sha256');
  for (const line of lines.sort()) hash.update(line);
  return hash.digest('hex');
}

/** Writes qrels in TREC's four columns. @throws BenchError DATA_INVALID for an id the format cannot hold */
export async function writeQrels(file: string, qrels: Qrels): Promise<DataFile> {
  return writeLines(file, qrelLines(qrels));
}

function* qrelLines(qrels: Qrels): Generator<string> {
  for (const [queryId, judgements] of qrels) {
    assertFirstColumn(queryId);
    for (const [passageId, relevance] of judgements) {
      yield `${queryId} 0 ${assertId(passageId, 'passage id')} ${relevance}\n`;
    }
  }
}
