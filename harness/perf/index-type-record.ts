/** A run record of one type of index over made vectors: nothing was encoded, so only index, recall and search are in it. */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { wikipediaPassages } from '../index/size.js';
import { bareArchitecture, type LatencyValues, newRecord, recordSuffix, writeRecord } from '../record.js';
import type { PassageHits } from '../search/search.js';
import { recallPerQuery } from '../stages/recall.js';
import { mean } from '../statistics/summary.js';

export interface Timed {
  value: number | null;
  recall: Readonly<Record<string, number>>;
  latency: LatencyValues;
}

export interface TypeFacts {
  kind: string;
  searcher: string;
  parameter: string | null;
  sizeBytes: number;
  trainedOn: number;
  buildSeconds: number;
  passages: number;
  dimensions: number;
  depth: number;
  seed: number;
  points: readonly Timed[];
  /** With the last value, and with the index Flat. */
  hits: PassageHits;
  exact: PassageHits;
  versions: Readonly<Record<string, string>>;
}

/** All types are of one architecture, as it were: their points took turns with each other. */
const arch = 'vectors';

export async function writeTypeRecord(folder: string, facts: TypeFacts): Promise<void> {
  const { kind, parameter, passages, dimensions, depth, seed, sizeBytes, points } = facts;
  const perQuery = recallPerQuery(depth, facts.hits, facts.exact);
  const queryIds = perQuery.map((_, q) => String(q));
  const last = points.at(-1)!;
  const record = await newRecord({
    ...{ seed, preset: null, config: {} },
    arch: { ...bareArchitecture(arch), vectors: 1 },
    dataset: {
      ...{ name: 'made clusters', version: '1', licence: null, files: [], passageCount: passages },
      ...{ split: 'test', counts: { test: { queries: queryIds.length, qrels: 0 } } },
    },
    device: {
      ...{ engine: null, device: 'cpu', searcher: facts.searcher, threads: availableParallelism() },
      versions: facts.versions,
    },
    stages: [{ name: 'index', key: null, execution: { cached: false, seconds: facts.buildSeconds } }],
    index: {
      ...{ kind, vectorsPerPassage: 1, rows: passages, dimensions, shards: 1 },
      sizeBytes: { vectors: sizeBytes, identifiers: 0, offsets: 0, total: sizeBytes },
      projectedBytes: Math.round((sizeBytes / passages) * wikipediaPassages),
      projectedPassages: wikipediaPassages,
      ...(kind !== 'Flat' && {
        trainedOn: facts.trainedOn,
        builtBy: { searcher: facts.searcher, versions: facts.versions },
        ...(parameter !== null && { parameter: { name: parameter, value: last.value! } }),
        curve: {
          depth,
          parameter,
          points: points.map(({ value, recall, latency }) => ({
            value,
            recall,
            execution: { search: latency },
          })),
        },
      }),
    },
    queryIds,
    measures: {
      [`exact@${depth}`]: {
        mean: mean(perQuery),
        higherIsBetter: true,
        description: `Share of the exact first ${depth} hits among the first ${depth}.`,
        perQuery,
      },
    },
    latency: {
      ...{ queryIds, rounds: 1, warmup: 20, interleavedWith: [arch], resident: true },
      ...{ search: last.latency, total: last.latency, warnings: [] },
    },
    warnings: ['made vectors: nothing was encoded, and the texts of queries are not in the latencies'],
  });
  await writeRecord(
    path.join(folder, `${kind.replaceAll(',', '-')}-${facts.searcher}${recordSuffix}`),
    record,
  );
}
