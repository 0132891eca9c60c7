/** Runs in any of the formats that retrieval systems write, told apart by how they begin. */
import type { DataFile, Passage, Query, Ranking, Run } from '../contracts.js';
import { BenchError, unknownName } from '../errors.js';
import { readBeirResults, writeBeirResults, writeThreeColumns } from './beir-results.js';
import { readDprRun, writeDprResults } from './dpr-results.js';
import { beginningOf } from './text-blocks.js';
import { readRun, writeRun } from './trec.js';

/** By name, with what a file of it holds. */
export const runFormats = {
  trec: 'lines of: query Q0 passage rank score tag',
  tevatron: 'lines of: query passage score',
  'ms-marco': 'lines of: query passage rank',
  dpr: "DPR's retrieval results, [{ question, answers, ctxs }], in the order of the queries",
  beir: 'BEIR results, { query: { passage: score } }',
} as const;

export type RunFormat = keyof typeof runFormats;

/** @throws BenchError UNKNOWN_NAME with a near name */
export function runFormatNamed(name: string): RunFormat {
  if (Object.hasOwn(runFormats, name)) return name as RunFormat;
  throw unknownName('run format', name, Object.keys(runFormats));
}

export interface AnyRun {
  run: Run;
  format: RunFormat;
  /** The system's name, where the file has it. */
  tag?: string;
  /** What was taken from the numbers of the file rather than from what it or the user says. */
  remarks: readonly string[];
}

/**
 * Reads a run, plain or gzip. What begins with `[` is DPR's, with `{` BEIR's, and all else lines of columns.
 * @param queries those that were searched, in their order, for DPR's files, which carry no query ids; where absent, its
 *   elements are numbered from 0
 * @throws BenchError PATH_INVALID; RECORD_INVALID with line or element, and for numbers that could be ranks or scores
 */
export async function readRunFile(
  file: string,
  { format, queries }: { format?: RunFormat; queries?: readonly Query[] } = {},
): Promise<AnyRun> {
  const found = format ?? (await formatOf(file));
  if (found === 'dpr') return { run: (await readDprRun(file, queries)).run, format: found, remarks: [] };
  if (found === 'beir')
    return { run: await readBeirResults(file, format === found), format: found, remarks: [] };
  const { run, tag, third } = await readRun(
    file,
    format === 'ms-marco' ? 'rank' : format === 'tevatron' ? 'score' : undefined,
  );
  const read = third === undefined ? 'trec' : third === 'rank' ? 'ms-marco' : 'tevatron';
  const remarks: string[] = [];
  if (format === undefined && read === 'ms-marco')
    remarks.push('the last column of the run is 1 to n in each query and taken for the rank');
  const against = read === 'trec' ? againstRanks(run) : 0;
  if (against > 0)
    remarks.push(
      `in ${against} of ${run.size} queries the scores order hits otherwise than the ranks beside them; scores decide, as in trec_eval`,
    );
  if (format === undefined || format === read)
    return { run, format: read, remarks, ...(tag !== undefined && { tag }) };
  throw new BenchError('RECORD_INVALID', `${file} holds ${runFormats[read]}; it was said to be ${format}.`, {
    hint: `Leave the format out, or say ${read}.`,
  });
}

/** Whether a file holds hits, as far as its beginning tells; false where it cannot be read. */
export async function looksLikeRun(file: string): Promise<boolean> {
  try {
    const text = await beginningOf(file, 'RECORD_INVALID');
    if (text.startsWith('[')) return /^\[\s*\{\s*"(question|answers|ctxs)"/.test(text);
    if (text.startsWith('{')) return /^\{\s*"[^"]*"\s*:\s*\{\s*"[^"]*"\s*:\s*-?[\d.]/.test(text);
    const columns = text.split('\n', 1)[0]!.trim().split(/\s+/);
    const isNumber = (column: string | undefined) => column !== undefined && Number.isFinite(Number(column));
    return columns.length === 6 ? isNumber(columns[4]) : columns.length === 3 && isNumber(columns[2]);
  } catch {
    return false;
  }
}

/** In how many queries a hit has a higher score than one of a better rank. */
function againstRanks(run: Run): number {
  let count = 0;
  for (const { scores, ranks } of run.values()) {
    if (scores === undefined || ranks === undefined) continue;
    const order = Array.from(ranks, (_, i) => i).sort((a, b) => ranks[a]! - ranks[b]!);
    const isAgainst = (at: number, i: number) => {
      const before = order[i - 1];
      return before !== undefined && ranks[at]! > ranks[before]! && scores[at]! > scores[before]!;
    };
    if (order.some(isAgainst)) count++;
  }
  return count;
}

/** Seen from how the file begins; `trec` for all lines of columns. */
async function formatOf(file: string): Promise<RunFormat> {
  const text = await beginningOf(file, 'RECORD_INVALID');
  return text.startsWith('[') ? 'dpr' : text.startsWith('{') ? 'beir' : 'trec';
}

export interface RunToWrite {
  run: Run;
  /** The system's name, for TREC's last column. */
  tag: string;
  /** For DPR's format: queries in their order, and the texts. */
  texts?: {
    queries: readonly Query[];
    passages: ReadonlyMap<string, Passage>;
    hasAnswer(query: Query, passage: Passage): boolean;
  };
}

/**
 * Writes a run, packed where the name ends in .gz. Hits are written in the order of their scores, equal ones in that of
 * the ranks they had.
 * @throws BenchError DATA_INVALID for what the format cannot hold
 */
export function writeRunFile(
  file: string,
  format: RunFormat,
  { run, tag, texts }: RunToWrite,
): Promise<DataFile> {
  const ordered = new Map([...run].map(([queryId, ranking]) => [queryId, inOrder(ranking)]));
  if (format === 'trec') return writeRun(file, ordered, tag);
  if (format === 'tevatron' || format === 'ms-marco')
    return writeThreeColumns(file, ordered, format === 'tevatron' ? 'score' : 'rank');
  if (format === 'beir') return writeBeirResults(file, ordered);
  if (texts === undefined) throw new TypeError("DPR's format needs texts");
  return writeDprResults(file, { run: ordered, ...texts });
}

/** By score, the highest first; equal ones by the ranks they had. */
export function inOrder({ passageIds, scores, ranks }: Ranking): Ranking {
  if (scores === undefined) return { passageIds };
  const order = passageIds.map((_, i) => i);
  order.sort((a, b) => scores[b]! - scores[a]! || (ranks?.[a] ?? a) - (ranks?.[b] ?? b));
  return { passageIds: order.map((i) => passageIds[i]!), scores: order.map((i) => scores[i]!) };
}
