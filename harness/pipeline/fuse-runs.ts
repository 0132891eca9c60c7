/** Files of hits as one, whoever made them: what `fuse:A+B` does with systems that run here. */
import type { FuseConfig } from '../config/system-config.js';
import type { Ranking, Run } from '../contracts.js';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { assertId } from '../interchange/identifiers.js';
import { inOrder, type RunFormat, readRunFile, writeRunFile } from '../interchange/run-file.js';
import { compareBytes } from '../metrics/judge.js';
import { fuseHits } from '../search/fuse.js';
import type { PassageHits } from '../search/search.js';
import { removePartialsOf } from '../store/partials.js';
import { assertFileTakes } from '../store/writable.js';
import { assertScores } from './foreign-run.js';
import { fusionOf, fusionText } from './fused.js';

export interface FuseRunsRequest {
  /** Files, in the order of `fuse.weights`. */
  runs: readonly string[];
  /** Of each file; seen from the files where absent. */
  formats?: readonly RunFormat[];
  fuse: FuseConfig;
  /** Hits per query that are kept; all where absent. */
  depth?: number;
  out: string;
  /** Name of the system in the file. */
  tag: string;
}

export interface FusedRuns {
  fusion: string;
  queries: number;
  hits: number;
  /** What a user of the file should know. */
  notes: string[];
}

/**
 * Every query that one of the runs has is written. Hits of equal score are ordered by passage id, the larger first, so that
 * trec_eval sees the order of the file.
 * @throws BenchError USAGE, CONFIG_INVALID; PATH_INVALID, NOT_WRITABLE, DISK_FULL before anything is read; RECORD_INVALID, DATA_INVALID
 */
export async function fuseRuns(request: FuseRunsRequest): Promise<FusedRuns> {
  const { runs: files, formats, fuse, depth, out, tag } = request;
  if (files.length < 2) {
    throw new BenchError('USAGE', 'One run alone cannot be fused.', {
      hint: 'Give --run FILE for each run.',
    });
  }
  if (formats !== undefined && formats.length !== files.length) {
    throw new BenchError(
      'USAGE',
      `${counted(formats.length, 'formats')} cannot be those of ${counted(files.length, 'runs')}.`,
      { hint: 'Give --run-format once for each --run, in their order, or not at all.' },
    );
  }
  const fusion = fusionOf(fuse, files.length);
  assertId(tag, 'tag');
  await assertFileTakes(out);
  const notes: string[] = [];
  const runs: Run[] = [];
  for (const [i, file] of files.entries()) {
    const { run, format, remarks } = await readRunFile(file, formats && { format: formats[i]! });
    if (format === 'dpr') {
      throw new BenchError('USAGE', `${file} holds DPR's retrieval results, which have no query ids.`, {
        hint: `Give it ids first: bench convert --run ${file} --dataset D --to trec --out FILE`,
      });
    }
    runs.push(run);
    notes.push(...remarks.map((remark) => `${file}: ${remark}`));
    if (fusion.method === 'weighted' && format === 'ms-marco')
      notes.push(`${file} has ranks and no scores: minus the rank is taken for the score`);
  }
  const queryIds = new Set(runs.flatMap((run) => [...run.keys()]));
  for (const [i, { size }] of runs.entries()) {
    const missing = queryIds.size - size;
    if (missing > 0) notes.push(`${files[i]} has no hits for ${counted(missing, 'queries')} of the others`);
  }
  let hits = 0;
  const fused = new Map<string, Ranking>();
  for (const queryId of queryIds) {
    const rankings = runs.map((run) => inOrder(run.get(queryId) ?? { passageIds: [], scores: [] }));
    const passageIds = [...new Set(rankings.flatMap((ranking) => ranking.passageIds))];
    passageIds.sort((a, b) => compareBytes(b, a));
    const ordinals = new Map(passageIds.map((id, ordinal) => [id, ordinal]));
    const lists = rankings.map((ranking, i) => {
      if (fusion.method === 'weighted') assertScores(ranking, files[i]!, queryId);
      return listOf(ranking, ordinals, fuse.depth ?? Infinity);
    });
    const found = fuseHits(lists, fusion, depth ?? passageIds.length);
    const count = found.counts[0]!;
    fused.set(queryId, {
      passageIds: Array.from(found.ordinals.subarray(0, count), (ordinal) => passageIds[ordinal]!),
      scores: found.scores.subarray(0, count),
    });
    hits += count;
  }
  await removePartialsOf(out);
  await writeRunFile(out, 'trec', { run: fused, tag });
  return { fusion: fusionText(fusion, fuse.depth), queries: queryIds.size, hits, notes };
}

/** One query's list. */
function listOf(
  { passageIds, scores }: Ranking,
  ordinals: ReadonlyMap<string, number>,
  depth: number,
): PassageHits {
  const length = Math.min(passageIds.length, depth);
  return {
    depth: length,
    ordinals: Int32Array.from({ length }, (_, i) => ordinals.get(passageIds[i]!)!),
    scores: Float32Array.from({ length }, (_, i) => scores![i]!),
    winners: new Int32Array(length),
    counts: Int32Array.of(length),
  };
}
