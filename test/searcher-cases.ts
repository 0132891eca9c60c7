/** Made rows, what is right of them by brute force, and built indexes: for the suite that every searcher passes. */
import assert from 'node:assert/strict';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { BenchError } from '../harness/errors.js';
import type { VectorIndex } from '../harness/index/vector-index.js';
import { type BuiltSearch, openSearcher } from '../harness/pipeline/open-searcher.js';
import { loadSearcher, searcherNames } from '../harness/plugins/searchers.js';
import { createProgress, type Progress } from '../harness/progress.js';
import { stream } from '../harness/random.js';
import type { PassageHits, Searcher } from '../harness/search/search.js';
import type { BuiltFacts, IndexBuilder } from '../harness/search/searcher.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { cudaDevices } from './cuda-devices.js';
import { listOf, makeIndex, type Rows, rankRows, temporaryFolder } from './made-index.js';
import { withoutWebGpu } from './webgpu-driver.js';

export const ample = 1 << 28;
/** D of all rows here. */
export const dimensions = 16;
const quiet = createProgress({ output: { write: () => true } });

/** Rows around 40 centres, of lengths that differ: vectors of texts lie in clusters and need not be of one length. */
export function clusteredRows(count: number, purpose: string): Rows {
  const around = stream(7, 'centres');
  const centres = Float32Array.from({ length: 40 * dimensions }, () => around.normal());
  const random = stream(7, purpose);
  const values = new Float32Array(count * dimensions);
  for (let i = 0; i < count; i++) {
    const centre = random.integer(40) * dimensions;
    const length = 0.5 + random.integer(100) / 66;
    for (let d = 0; d < dimensions; d++)
      values[i * dimensions + d] = length * (centres[centre + d]! + 0.7 * random.normal());
  }
  return { dimensions, values };
}

/** sim(q, d) of all passages by brute force: the largest score over its rows, then the smaller ordinal. */
export function rankPassages(rows: Rows, passageOf: readonly number[], query: Float32Array) {
  const best = new Map<number, number>();
  for (const { row, score } of rankRows(rows, query))
    if (!best.has(passageOf[row]!)) best.set(passageOf[row]!, score);
  return [...best].map(([ordinal, score]) => ({ ordinal, score })).sort(byScore);
}
const byScore = (a: { ordinal: number; score: number }, b: { ordinal: number; score: number }) =>
  b.score - a.score || a.ordinal - b.ordinal;

export const queryOf = ({ values }: Rows, q: number) => values.subarray(q * dimensions, (q + 1) * dimensions);

export function hitsOf(hits: PassageHits, q: number) {
  const scores = listOf(hits.scores, hits.depth, hits.counts, q);
  return listOf(hits.ordinals, hits.depth, hits.counts, q).map((ordinal, i) => ({
    ordinal,
    score: scores[i]!,
  }));
}

/** Each passage once, the better first, and of equal ones the first in the collection. */
export function assertInOrder(hits: PassageHits, queries: number): void {
  for (let q = 0; q < queries; q++) {
    const list = hitsOf(hits, q);
    assert.deepEqual(list, list.toSorted(byScore));
    assert.equal(new Set(list.map(({ ordinal }) => ordinal)).size, list.length);
  }
}

/** Its memory is let go: it is not taken again, and no empty list stands for what is no longer there. */
export async function assertEnded(searcher: Searcher): Promise<void> {
  await searcher.dispose();
  await assert.rejects(
    searcher.search(new Float32Array(dimensions), 1, 3),
    /searched after it was disposed of/,
  );
}

/** Vectors of each of 240 passages. */
export const counts = {
  'M = 1': 1,
  'M = 3': 3,
  'M varies': Array.from({ length: 240 }, (_, i) => i % 4),
} as const;
/** The passage of each row. */
export const rowsOf = (m: (typeof counts)[keyof typeof counts]) =>
  typeof m === 'number'
    ? Array.from({ length: 240 * m }, (_, row) => Math.floor(row / m))
    : m.flatMap((n, i) => Array<number>(n).fill(i));

/** A kind of index that a searcher builds. */
export class BuiltKind {
  readonly #name: string;
  readonly #builder: IndexBuilder;
  readonly #kind: string;
  readonly #engine: Engine;

  constructor(name: string, builder: IndexBuilder, kind: string, engine: Engine) {
    this.#engine = engine;
    this.#name = name;
    this.#builder = builder;
    this.#kind = kind;
  }

  async index(t: TestContext, rows: Rows, m: number | readonly number[]): Promise<VectorIndex> {
    const index = await makeIndex(await temporaryFolder(t), rows, m, 2);
    t.after(() => index.close());
    return index;
  }

  async build(
    { folder, vectors }: VectorIndex,
    progress: Progress = quiet,
  ): Promise<BuiltSearch & { parameter?: NonNullable<BuiltFacts['parameter']> }> {
    const [kind, file] = [this.#kind, path.join(folder, this.#builder.file)];
    const order = { folder, kind, target: file, trainingVectors: 500, seed: 1, vectors, progress };
    const { sizeBytes, own, parameter } = await this.#builder.build(order);
    const told = parameter === null ? {} : { parameter };
    return { searcher: this.#name, file, kind, sizeBytes, ...(own && { own }), ...told };
  }

  open(index: VectorIndex, built: BuiltSearch, memoryBytes = ample): Promise<Searcher> {
    return openSearcher(this.#name, index, { engine: this.#engine, memoryBytes, built });
  }
}

/** All there are, and why one cannot be used here. */
export const foundSearchers = () =>
  Promise.all(
    searcherNames().map(async (name) => {
      const plugin = await loadSearcher(name);
      const skip = await plugin.check().then(
        () => false as const,
        (error: unknown) => {
          if (error instanceof BenchError && error.code === 'UNAVAILABLE') return error.message;
          throw error;
        },
      );
      return { name, plugin, skip };
    }),
  );

/** Each that opens Flat; `exact`, which alone computes on the engine, on a device too. */
export async function flatSearchers(searchers: Awaited<ReturnType<typeof foundSearchers>>, engine: Engine) {
  const devices = [
    {
      name: 'webgpu',
      skip: await withoutWebGpu(),
      open: () => openEngine('onnx', { threads: 1, device: 'webgpu' }),
    },
    ...(await cudaDevices()),
  ];
  const engines = await Promise.all(devices.map(({ skip, open }) => (skip === false ? open() : undefined)));
  const flat = searchers
    .filter(({ plugin: { open } }) => open !== undefined)
    .flatMap((each) => [
      { ...each, on: engine, title: each.name },
      ...(each.name === 'exact'
        ? devices.map(({ name, skip }, i) => ({
            ...each,
            on: engines[i],
            title: `exact on ${name}`,
            skip: each.skip || skip,
          }))
        : []),
    ]);
  return { flat, close: () => Promise.all(engines.map((device) => device?.dispose())) };
}
