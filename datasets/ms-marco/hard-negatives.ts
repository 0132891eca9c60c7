/**
 * The hard negatives that Sentence-Transformers published for MS MARCO: passages that several systems find, each with the
 * score of a cross-encoder. One JSON object a line, systems by name:
 *
 *     {"qid": "11", "pos": [{"pid": "0", "ce-score": 9.1}], "neg": {"bm25": [{"pid": "3", "ce-score": -2.4}, ...], ...}}
 */
import type { DatasetRequest, Qrels } from '../../harness/contracts.js';
import { BenchError } from '../../harness/errors.js';
import { type JsonLine, jsonLines } from '../../harness/interchange/json-lines.js';
import { NumberedLists } from '../collection/numbered-lists.js';
import { keptLists } from './negatives.js';

/** How far below every positive of its query a negative has to score: nearer ones may be answers. */
const margin = 3;
/** Negatives taken of each system that no system before it brought. */
const perSystem = 5;
/** The most negatives kept of a query: `train.negativePool` draws from the first of them. */
const longest = 100;

/** As `scoredNegatives`, with the file read once. */
export function keptScoredNegatives(
  request: DatasetRequest,
  file: string,
  qrelsFile: string,
  qrels: Qrels,
): Promise<NumberedLists> {
  const files = [file, qrelsFile];
  const make = () => scoredNegatives(file, qrels);
  return keptLists(request, 'ms-marco hard negatives 1', files, qrels, longest, make);
}

/**
 * The negatives of every judged query, the best of each system first.
 * @throws BenchError DATA_INVALID with the line where one is of another form, or a query comes again
 */
async function scoredNegatives(file: string, qrels: Qrels): Promise<NumberedLists> {
  const lists = new NumberedLists(qrels.keys(), longest);
  const lines = new Map<string, number>();
  let judged = 0;
  for await (const row of jsonLines(file, 'DATA_INVALID')) {
    const fault = (what: string) => faultOf(file, row.line, what);
    const queryId = String(wholeNumber(row.value.qid, 'qid', fault));
    const earlier = lines.get(queryId);
    if (earlier !== undefined) throw fault(`the query ${queryId} stands in line ${earlier} already`);
    lines.set(queryId, row.line);
    const negatives = negativesOf(row, fault);
    const slot = lists.slotOf(queryId);
    if (slot === undefined) continue;
    judged++;
    for (const passage of negatives) lists.add(slot, passage);
  }
  if (judged > 0) return lists;
  const [first] = lines.keys();
  throw new BenchError('DATA_INVALID', `${file} has negatives for none of the training queries.`, {
    hint: `Its query ids look like '${first ?? ''}', those of the qrels like '${[...qrels.keys()][0] ?? ''}'.`,
  });
}

type Fault = (what: string) => BenchError;

function negativesOf({ value: { pos, neg } }: JsonLine, fault: Fault): number[] {
  const positives = scoredPassages(pos, 'pos', fault);
  if (positives.length === 0) throw fault('pos is empty, so nothing says how high a negative may score');
  const highest = Math.min(...positives.map(({ score }) => score)) - margin;
  if (neg === null || typeof neg !== 'object' || Array.isArray(neg))
    throw fault(`neg is ${shown(neg)}, and lists of passages by system are needed`);
  const taken = new Set<number>();
  const bySystem = Object.entries(neg).map(([system, found]) => {
    const own: number[] = [];
    for (const { passage, score } of scoredPassages(found, `neg.${system}`, fault)) {
      if (own.length === perSystem) break;
      if (score > highest || taken.has(passage)) continue;
      taken.add(passage);
      own.push(passage);
    }
    return own;
  });
  // Rank by rank, so that a short pool has something of every system.
  return Array.from({ length: perSystem }, (_, rank) => bySystem.flatMap((own) => own[rank] ?? [])).flat();
}

function scoredPassages(list: unknown, name: string, fault: Fault): { passage: number; score: number }[] {
  if (!Array.isArray(list)) throw fault(`${name} is ${shown(list)}, and a list is needed`);
  return list.map((item: unknown, i) => {
    const place = `${name}[${i}]`;
    if (typeof item === 'number' || typeof item === 'string')
      throw fault(`${place} is ${shown(item)} alone, without ce-score`);
    const { pid, 'ce-score': score } = (item ?? {}) as Record<string, unknown>;
    const passage = wholeNumber(pid, `${place}.pid`, fault);
    if (typeof score !== 'number' || !Number.isFinite(score))
      throw fault(`${place}.ce-score is ${shown(score)}, and a number is needed`);
    return { passage, score };
  });
}

function wholeNumber(value: unknown, name: string, fault: Fault): number {
  const number = typeof value === 'string' && /^(0|[1-9]\d*)$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number < 2 ** 32)
    return number;
  throw fault(`${name} is ${shown(value)}, and a whole number is needed`);
}

const shown = (value: unknown) => (value === undefined ? 'missing' : JSON.stringify(value).slice(0, 40));

function faultOf(file: string, line: number, what: string): BenchError {
  return new BenchError('DATA_INVALID', `${file}, line ${line}: ${what}.`, {
    hint: 'Each line is {"qid", "pos": [{"pid", "ce-score"}], "neg": {SYSTEM: [{"pid", "ce-score"}]}}, as in https://sbert.net/datasets/msmarco-hard-negatives.jsonl.gz. The later form of that file has its scores in cross-encoder-ms-marco-MiniLM-L-6-v2-scores.pkl.gz, and pickles are not read.',
  });
}
