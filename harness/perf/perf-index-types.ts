/**
 * `npm run perf -- index-types [PASSAGES] [FOLDER]`: types of index over the same vectors, what each finds of the exact
 * hits and how long it takes, all of them taking turns; those whose searcher is not here are left out. Leaves a run record of each in FOLDER, and the html report of them.
 */
import path from 'node:path';
import { prepareReport } from '../comparison.js';
import { BenchError } from '../errors.js';
import { openIndex, type VectorIndex } from '../index/vector-index.js';
import { measureLatency } from '../latency/latency.js';
import { builderOf } from '../pipeline/choose-searcher.js';
import { type BuiltSearch, openSearcher } from '../pipeline/open-searcher.js';
import { loadReport } from '../plugins.js';
import { createProgress } from '../progress.js';
import { readRecords } from '../record.js';
import type { PassageHits, Searcher } from '../search/search.js';
import { recallAt } from '../stages/recall.js';
import { writeAtomic } from '../store/atomic.js';
import type { Engine } from '../tensor/engine.js';
import { type Timed, writeTypeRecord } from './index-type-record.js';
import { inFolderOnEngine } from './made-folder.js';
import { clusteredVectors, writeVectors } from './made-vectors.js';

const dimensions = 128;
const queryCount = 200;
const depth = 100;
const memoryBytes = 2 ** 30;
const seed = 1;

/** Values of efSearch below the depth would make no difference. */
const graphValues = [100, 200, 400, 800];
const listValues = [1, 4, 16, 64, 256];
const types: readonly { kind: string; searcher: string; values?: readonly number[] }[] = [
  { kind: 'Flat', searcher: 'auto' },
  { kind: 'SQ8', searcher: 'faiss' },
  { kind: 'HNSW32', searcher: 'faiss', values: graphValues },
  { kind: 'HNSW32', searcher: 'usearch', values: graphValues },
  { kind: 'HNSW32,f16', searcher: 'usearch', values: graphValues },
  { kind: 'HNSW32,i8', searcher: 'usearch', values: graphValues },
  { kind: 'IVF256,Flat', searcher: 'faiss', values: listValues },
  { kind: 'IVF256,PQ16np', searcher: 'faiss', values: listValues },
];

/** One type with one value: what is searched, and what came of it. */
export interface Point {
  value: number | null;
  searcher: Searcher;
  hits: PassageHits;
}

interface Type {
  kind: string;
  parameter: string | null;
  sizeBytes: number;
  trainedOn: number;
  buildSeconds: number;
  points: Point[];
}

async function openType(
  index: VectorIndex,
  engine: Engine,
  queries: Float32Array,
  { kind, searcher: asked, values }: (typeof types)[number],
): Promise<Type> {
  const open = async (value: number | null, built?: BuiltSearch): Promise<Point> => {
    const searcher = await openSearcher(asked, index, { engine, memoryBytes, ...(built && { built }) });
    return { value, searcher, hits: await searcher.search(queries, queryCount, depth) };
  };
  const started = performance.now();
  const flat = { kind, parameter: null, sizeBytes: 45 + index.vectors * dimensions * 4, trainedOn: 0 };
  if (kind === 'Flat') {
    const point = await open(null);
    return { ...flat, buildSeconds: 0, points: [point] };
  }
  const { name: searcher, builder } = await builderOf(kind, asked);
  const file = path.join(index.folder, `${kind}-${builder.file}`);
  const facts = await builder.build({
    folder: index.folder,
    kind,
    target: file,
    trainingVectors: 65_536,
    seed,
    vectors: index.vectors,
    progress: createProgress(),
  });
  const buildSeconds = (performance.now() - started) / 1000;
  const { sizeBytes, trainedOn, own } = facts;
  const name = facts.parameter?.name ?? null;
  const points: Point[] = [];
  for (const value of name === null ? [null] : values!) {
    const parameter = name !== null && value !== null ? { parameter: { name, value } } : {};
    points.push(await open(value, { searcher, file, kind, sizeBytes, ...(own && { own }), ...parameter }));
  }
  return { kind, parameter: name, sizeBytes, trainedOn, buildSeconds, points };
}

export default async function perfIndexTypes(args: readonly string[]): Promise<void> {
  const passages = Number(args[0] ?? 100_000);
  const out = path.resolve(args[1] ?? 'results/index-types');
  await inFolderOnEngine(async (work, engine) => {
    const rows = clusteredVectors(passages, dimensions, 'rows');
    const queries = clusteredVectors(queryCount, dimensions, 'queries');
    await writeVectors(work, rows, dimensions);
    const index = await openIndex(work);
    const made: Type[] = [];
    for (const type of types) {
      try {
        made.push(await openType(index, engine, queries, type));
      } catch (error) {
        if (!(error instanceof BenchError && error.code === 'UNAVAILABLE')) throw error;
        console.log(`${type.kind} is left out: ${error.message}`);
      }
    }
    const flat = made.find(({ kind }) => kind === 'Flat')!.points[0]!;
    const { systems } = await measureLatency({
      systems: made.flatMap(({ kind, points }) =>
        points.map(({ value, searcher }) => ({
          name: `${searcher.name} ${kind} ${value}`,
          parts: [{ name: 'search', run: (query: Float32Array) => searcher.search(query, 1, depth) }],
        })),
      ),
      queries: Array.from({ length: queryCount }, (_, q) =>
        queries.slice(q * dimensions, (q + 1) * dimensions),
      ),
      warmup: 20,
      seed,
    });
    console.log(`${passages} x ${dimensions}, ${queryCount} queries, k = ${depth}, all taking turns`);
    console.log(
      'searcher type             searched with    recall@10  recall@100  p50 ms  p95 ms        bytes  build s',
    );
    for (const { kind, parameter, sizeBytes, trainedOn, buildSeconds, points } of made) {
      const { name: by, versions } = points[0]!.searcher;
      const timed = points.map(({ value, hits }): Timed => {
        const { total } = systems.find(({ name }) => name === `${by} ${kind} ${value}`)!;
        const recall = { '10': recallAt(10, hits, flat.hits), [depth]: recallAt(depth, hits, flat.hits) };
        const cells = [
          by.padEnd(8),
          kind.padEnd(16),
          (parameter === null ? '-' : `${parameter} ${value}`).padEnd(16),
          recall['10']!.toFixed(3).padStart(9),
          recall[depth]!.toFixed(3).padStart(11),
          total.p50Ms.toFixed(2).padStart(7),
          total.p95Ms.toFixed(2).padStart(7),
          String(sizeBytes).padStart(12),
          buildSeconds.toFixed(1).padStart(8),
        ];
        console.log(cells.join(' '));
        return { value, recall, latency: total };
      });
      await writeTypeRecord(out, {
        ...{ kind, searcher: by, parameter, sizeBytes, trainedOn, buildSeconds },
        ...{ passages, dimensions, depth, seed },
        points: timed,
        hits: points.at(-1)!.hits,
        exact: flat.hits,
        versions,
      });
      for (const { searcher } of points) if (searcher !== flat.searcher) await searcher.dispose();
    }
    await flat.searcher.dispose();
    await index.close();
    const report = await prepareReport(await readRecords([out]), {}, 'perf');
    const page = path.join(out, 'index-types.html');
    await writeAtomic(page, await (await loadReport('html')).render(report));
    console.log(`records and page: ${out}`);
  });
}
