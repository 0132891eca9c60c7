/** A run from one format to another. */

import path from 'node:path';
import type { Dataset, Query, Run, Split } from '../contracts.js';
import { counted } from '../counted.js';
import { passageTexts } from '../dataset/reading.js';
import { BenchError } from '../errors.js';
import { assertId } from '../interchange/identifiers.js';
import { type RunFormat, type RunToWrite, readRunFile, writeRunFile } from '../interchange/run-file.js';
import type { Progress } from '../progress.js';
import { removePartialsOf } from '../store/partials.js';
import { Store } from '../store/store.js';
import { assertFileTakes } from '../store/writable.js';
import { AnswerMatcher, PassageText } from '../text/answers.js';
import { type DatasetChoice, openDataset } from './open-dataset.js';

export interface ConvertRequest {
  run: string;
  /** Found out where absent. */
  format?: RunFormat;
  to: RunFormat;
  out: string;
  /** Name of the system for TREC's last column; that of the run, or of its file, where absent. */
  tag?: string;
  /** Whose queries were searched: brings ids for what comes from DPR, and texts for what goes there. */
  searched?: DatasetChoice & { split: Split; cache: string };
}

export interface Converted {
  from: RunFormat;
  queries: number;
  hits: number;
  /** What a user of the file should know. */
  notes: string[];
}

/**
 * @throws BenchError USAGE where texts are needed and no dataset is named, and for a tag that the format does not have;
 *   PATH_INVALID, NOT_WRITABLE, DISK_FULL before anything is read; RECORD_INVALID, DATA_INVALID
 */
export async function convertRun(request: ConvertRequest, progress: Progress): Promise<Converted> {
  const { run: file, to, out, searched } = request;
  if (to === 'dpr' && searched === undefined) {
    throw new BenchError(
      'USAGE',
      "DPR's results hold questions, answers and texts, and a run has only ids.",
      { hint: 'Say which dataset was searched: --dataset D.' },
    );
  }
  if (request.tag !== undefined) assertTag(request.tag, to);
  await assertFileTakes(out);
  const dataset =
    searched && (await openDataset(searched, new Store(searched.cache, { told: progress }), progress));
  const queries = dataset && (await dataset.queries(searched.split));
  const { format } = request;
  const read = await readRunFile(file, { ...(format && { format }), ...(queries && { queries }) });
  const { run } = read;
  const notes = [...read.remarks];
  if (read.format === 'dpr' && queries === undefined) {
    notes.push(
      'the file has no query ids: its questions are numbered from 0; --dataset D gives them their own',
    );
  }
  if (queries !== undefined) refuseStrangers(file, run, queries, `${dataset!.name}, ${searched!.split}`);
  const tag = request.tag ?? read.tag ?? path.basename(file).replace(/\s/g, '_');
  const texts = to === 'dpr' ? await textsOf(dataset!, queries!, run, notes) : undefined;
  await removePartialsOf(out);
  await writeRunFile(out, to, { run, tag, ...(texts && { texts }) });
  let hits = 0;
  for (const { passageIds } of run.values()) hits += passageIds.length;
  return { from: read.format, queries: run.size, hits, notes };
}

function assertTag(tag: string, to: RunFormat): void {
  if (to === 'trec') {
    assertId(tag, 'tag');
    return;
  }
  throw new BenchError('USAGE', `--tag ${tag} plays no part in --to ${to}.`, {
    hint: 'Only lines of trec hold the name of a system: leave --tag out.',
  });
}

function refuseStrangers(file: string, run: Run, queries: readonly Query[], where: string): void {
  const known = new Set(queries.map(({ queryId }) => queryId));
  const strangers = [...run.keys()].filter((queryId) => !known.has(queryId));
  if (strangers.length === 0) return;
  throw new BenchError(
    'RECORD_INVALID',
    `${file} has hits for ${counted(strangers.length, 'queries')} that ${where}, does not have: '${strangers[0]}'.`,
    { hint: `Query ids there look like '${queries[0]?.queryId ?? ''}'. --split chooses the queries.` },
  );
}

async function textsOf(
  dataset: Dataset,
  queries: readonly Query[],
  run: Run,
  notes: string[],
): Promise<NonNullable<RunToWrite['texts']>> {
  const wanted = new Set([...run.values()].flatMap(({ passageIds }) => passageIds));
  const passages = await passageTexts(dataset, wanted);
  const mode = dataset.answerMatching;
  if (mode === undefined) {
    notes.push(`${dataset.name} has no answers: has_answer is false everywhere`);
    return { queries, passages, hasAnswer: () => false };
  }
  const prepared = new Map<string, PassageText>();
  const matchers = new Map<string, AnswerMatcher>();
  return {
    queries,
    passages,
    hasAnswer({ queryId, answers = [] }, { passageId, text }) {
      const matcher = matchers.get(queryId) ?? new AnswerMatcher(answers, mode);
      matchers.set(queryId, matcher);
      const passage = prepared.get(passageId) ?? new PassageText(text);
      prepared.set(passageId, passage);
      return matcher.matches(passage);
    },
  };
}
