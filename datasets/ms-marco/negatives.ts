/** Negatives from MS MARCO's triples: `query<TAB>positive<TAB>negative`, 400 million lines. */
import type { DatasetRequest, Qrels } from '../../harness/contracts.js';
import { eachLine } from '../../harness/interchange/columns.js';
import { NumberedLists } from '../collection/numbered-lists.js';

/** The most negatives kept of a query, from which the paper's code draws 15 for a step. */
const longest = 200;

/**
 * As `tripleNegatives`, with the file read once: what is kept of its 400 million lines is a file of 400 MB at most.
 * @param qrelsFile what the qrels were read from
 */
export function keptNegatives(
  request: DatasetRequest,
  triples: string,
  qrelsFile: string,
  qrels: Qrels,
): Promise<NumberedLists> {
  const files = [triples, qrelsFile];
  const make = () => tripleNegatives(triples, qrels);
  return keptLists(request, 'ms-marco negatives 2', files, qrels, longest, make);
}

/**
 * Lists of the judged queries, made once and read from a file of their own afterwards, for as long as what they were made
 * from stays the same.
 * @param what names them and the version of whatever makes them
 * @param length of the longest
 */
export async function keptLists(
  { keepFile }: DatasetRequest,
  what: string,
  files: readonly string[],
  qrels: Qrels,
  length: number,
  make: () => Promise<NumberedLists>,
): Promise<NumberedLists> {
  if (keepFile === undefined) return make();
  let made: NumberedLists | undefined;
  const file = await keepFile(what, files, async (target) => {
    made = await make();
    await made.write(target);
  });
  return made ?? NumberedLists.read(file, qrels.keys(), length);
}

/**
 * The first distinct negatives of every judged query, in the order of the file; judged passages are not among them. Takes
 * 800 bytes a query.
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
    // Kept as 4 bytes: what these cannot hold, or would give back otherwise written, is no id to be taken.
    if (passage < 0 || passage > 0xffffffff || String(passage) !== line.column(2))
      throw line.fault(`passage '${line.column(2)}' is no number below 2^32 in its usual form`);
    if (!judged!.has(line.column(2))) lists.add(slot, passage);
  });
  return lists;
}
