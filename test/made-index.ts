/** Makes small indexes for tests, and says by brute force in float64 what a search in them must find. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { IdentifierWriter } from '../harness/index/identifiers.js';
import { IndexShardWriter, planShards } from '../harness/index/shard-files.js';
import { finishIndex, identifiersPath, openIndex, type VectorIndex } from '../harness/index/vector-index.js';
import { stream } from '../harness/random.js';

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Rows {
  dimensions: number;
  /** [rows, D] */
  values: Float32Array;
}

/** Small whole numbers: their products are exact in float32 in any order of summation, and ties are everywhere. */
export function wholeNumberRows(rows: number, dimensions: number, purpose: string): Rows {
  const random = stream(7, purpose);
  return {
    dimensions,
    values: Float32Array.from({ length: rows * dimensions }, () => random.integer(5) - 2),
  };
}

export function normalRows(rows: number, dimensions: number, purpose: string): Rows {
  const random = stream(7, purpose);
  return { dimensions, values: Float32Array.from({ length: rows * dimensions }, () => random.normal()) };
}

/** @param vectorsPerPassage M, or the M of each passage */
export async function makeIndex(
  folder: string,
  { values, dimensions }: Rows,
  vectorsPerPassage: number | readonly number[] = 1,
  shards = 1,
  idPrefix = 'p',
): Promise<VectorIndex> {
  const fixed = typeof vectorsPerPassage === 'number' ? vectorsPerPassage : undefined;
  const passages =
    typeof vectorsPerPassage === 'number'
      ? values.length / dimensions / vectorsPerPassage
      : vectorsPerPassage.length;
  const countOf = (passage: number) => fixed ?? (vectorsPerPassage as readonly number[])[passage]!;
  const identifiers = new IdentifierWriter(identifiersPath(folder));
  for (let i = 0; i < passages; i++) identifiers.append(`${idPrefix}${i}`);
  await identifiers.commit();
  const plan = planShards(passages, shards);
  let row = 0;
  for (const { number, firstPassage, passages: size } of plan) {
    const writer = await IndexShardWriter.create(folder, {
      number,
      firstPassage,
      dimensions,
      vectorsPerPassage: fixed ?? 'varies',
    });
    for (let passage = firstPassage; passage < firstPassage + size; passage++) {
      const end = row + countOf(passage);
      const vectors = values.subarray(row * dimensions, end * dimensions);
      await writer.append(vectors, fixed === undefined ? [end - row] : undefined);
      row = end;
    }
    await writer.commit();
  }
  await finishIndex(folder, plan.length);
  return openIndex(folder);
}

export interface FoundRow {
  row: number;
  score: number;
}

/** All rows for one query, score descending, then row ascending. */
export function rankRows({ values, dimensions }: Rows, query: Float32Array): FoundRow[] {
  const found: FoundRow[] = [];
  for (let row = 0; row < values.length / dimensions; row++) {
    let score = 0;
    for (let i = 0; i < dimensions; i++) score += values[row * dimensions + i]! * query[i]!;
    found.push({ row, score });
  }
  return found.sort((a, b) => b.score - a.score || a.row - b.row);
}

/** List q of hits laid out as [Q, depth]. */
export function listOf<T extends ArrayLike<number>>(
  values: T,
  depth: number,
  counts: Int32Array,
  q: number,
): number[] {
  return Array.from(values).slice(q * depth, q * depth + counts[q]!);
}
