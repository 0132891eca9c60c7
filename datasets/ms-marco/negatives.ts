/** Negatives from MS MARCO's triples: `query<TAB>positive<TAB>negative`, 400 million lines. */
import type { DatasetRequest, Qrels } from '../../harness/contracts.js';
import { eachLine } from '../../harness/interchange/columns.js';
import { NumberedLists } from '../collection/numbered-lists.js';

/** The most negatives kept of a query: 15 of them are drawn for a step. */
const longest = 100;

/**
 * As `tripleNegatives`, with the file read once: what is kept of its 400 million lines is a file of 200 MB at most.
 * @param qrelsFile what the qrels were read from
 */
export async function keptNegatives(
  { keepFile }: DatasetRequest,
  triples: string,
  qrelsFile: string,
  qrels: Qrels,
): Promise<NumberedLists> {
  if (keepFile === undefined) return tripleNegatives(triples, qrels);
  let made: NumberedLists | undefined;
  const file = await keepFile('ms-marco negatives 1', [triples, qrelsFile], async (target) => {
    made = await tripleNegatives(triples, qrels);
    await made.write(target);
  });
  return made ?? NumberedLists.read(file, qrels.keys(), longest);
}

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
