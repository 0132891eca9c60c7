/** Negatives from MS MARCO's triples: `query<TAB>positive<TAB>negative`, 400 million lines. */
import type { Qrels } from '../../harness/contracts.js';
import { eachLine } from '../../harness/interchange/columns.js';
import { NumberedLists } from '../collection/numbered-lists.js';

/** The most negatives kept of a query: 15 of them are drawn for a step. */
const longest = 100;

/**
 * The first distinct negatives of every judged query, in the order of the file; judged passages are not among them. Takes
 * 400 bytes a query.
 * @throws BenchError DATA_INVALID with the line where there are not three numbers
 */
export async function tripleNegatives(file: string, qrels: Qrels): Promise<NumberedLists> {
  const lists = new NumberedLists(qrels.keys(), longest);
  let queryId = '';
  let slot: number | undefined;
  let judged: ReadonlyMap<string, number> | undefined;
  await eachLine(file, 'DATA_INVALID', (line) => {
    if (line.count !== 3)
      throw line.fault(`${line.count} columns`, 'Each line is: query, positive, negative.');
    if (!line.holds(0, queryId)) {
      queryId = line.column(0);
      slot = lists.slotOf(queryId);
      judged = qrels.get(queryId);
    }
    if (slot === undefined || lists.isFull(slot)) return;
    const passage = line.whole(2, 'passage');
    if (!judged!.has(line.column(2))) lists.add(slot, passage);
  });
  return lists;
}
