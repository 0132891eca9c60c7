/** The flow of an architecture that needs no training: dataset -> index -> search -> run -> measures -> record. */
import path from 'node:path';
import type { Query, SparseArchitecture, SparseScoring, Split } from '../contracts.js';
import { type Bm25Index, bm25Size } from '../index/bm25-index.js';
import { wikipediaPassages } from '../index/size.js';
import { writeRun } from '../interchange/trec.js';
import { measureLatency } from '../latency/latency.js';
import { parseMeasures } from '../metrics/measures.js';
import type { RunRequest } from '../pipeline.js';
import type { Progress } from '../progress.js';
import {
  describeMachine,
  type LatencyFacts,
  type RunRecord,
  recordSchemaVersion,
  recordSuffix,
  runSuffix,
  writeRecord,
} from '../record.js';
import type { Bm25Searcher } from '../search/bm25.js';
import type { PassageHits } from '../search/search.js';
import { Store } from '../store/store.js';
import { chosenQueries } from './latency-stage.js';
import { measureStage } from './measure-stage.js';
import { openDataset } from './prepare.js';
import { datasetFacts, measureValues, stemOf } from './record-stage.js';
import { type RunFacts, readHits, writeHits } from './search-stage.js';
import { openSparse, scoringOf, sparseIndexStage } from './sparse-index.js';
import { StageLog } from './stage-log.js';

const split: Split = 'test';

export async function runSparse(
  request: RunRequest,
  architecture: SparseArchitecture,
  progress: Progress,
): Promise<RunRecord> {
  const { config } = request;
  parseMeasures(config.measures);
  const log = new StageLog();
  const store = new Store(config.cache);
  const scoring = scoringOf(architecture, config);
  const dataset = await log.plain('prepare', () => openDataset(request, store, progress));
  const indexed = await log.artifact('index', () => sparseIndexStage(dataset, store, scoring, progress));
  const { index, searcher, buildSeconds } = await openSparse(
    indexed.folder,
    scoring,
    config.search.memoryMiB,
  );
  try {
    const queries = await dataset.queries(split);
    const { depth, batchSize } = config.search;
    const inputs = { made: 'bm25 run 1', index: indexed.key, scoring, split, depth };
    const run = await log.artifact('search', () =>
      store.artifact<RunFacts>('runs', inputs, async (folder) => {
        const stage = progress.stage('search', queries.length, 'queries');
        const parts: PassageHits[] = [];
        const started = performance.now();
        for (let first = 0; first < queries.length; first += batchSize) {
          progress.checkInterrupted();
          const batch = queries.slice(first, first + batchSize).map(({ text }) => text);
          parts.push(await searcher.search(batch, depth));
          stage.update(first + batch.length);
        }
        const searchSeconds = (performance.now() - started) / 1000;
        stage.end();
        await writeHits(folder, parts);
        const execution = { buildSeconds, searchSeconds };
        return { queries: queries.length, depth: parts[0]?.depth ?? 0, searcher: 'bm25', execution };
      }),
    );
    const hits = await readHits(run);
    const { identicalIds } = config.measure;
    const measured = await log.plain('measure', () =>
      measureStage({ dataset, split, index, hits, measures: config.measures, identicalIds }),
    );
    const latency = await log.plain('latency', () => timed(request, searcher, queries, run.facts, progress));
    const { benchVersion, git, machine } = await describeMachine();
    const stem = path.join(config.out, stemOf(request, dataset));
    const runFile = await writeRun(`${stem}${runSuffix}`, measured.run, request.architecture);
    const record: RunRecord = {
      schemaVersion: recordSchemaVersion,
      benchVersion,
      createdAt: new Date().toISOString(),
      command: process.argv.slice(2),
      status: 'ok',
      seed: request.seed,
      preset: config.preset,
      config: { ...config, bm25: scoringValues(scoring) },
      arch: {
        name: request.architecture,
        family: request.architecture,
        pooling: null,
        layers: null,
        vectors: null,
        lambda: null,
      },
      dataset: await datasetFacts(dataset, split),
      device: { engine: null, device: 'cpu', searcher: 'bm25', threads: 1, versions: {}, git, machine },
      stages: log.stages,
      index: await indexFacts(index),
      queryIds: measured.evaluation.queryIds,
      measures: measureValues(measured),
      run: { ...runFile, depth },
      ...(latency && { latency }),
      warnings: measured.warnings,
    };
    const file = `${stem}${recordSuffix}`;
    await writeRecord(file, record);
    progress.note(`record: ${file}`);
    return record;
  } finally {
    await index.close();
  }
}

/** As the configuration writes it, with every value filled in. */
const scoringValues = ({ formula: _, ...values }: SparseScoring) => values;

async function timed(
  { config, seed, architecture }: RunRequest,
  searcher: Bm25Searcher,
  all: readonly Query[],
  run: RunFacts,
  progress: Progress,
): Promise<LatencyFacts | undefined> {
  const queries = chosenQueries(all, config.latency.queries, seed);
  if (queries.length === 0) return undefined;
  const { depth } = config.search;
  const { warmup } = config.latency;
  const { systems, warnings } = await measureLatency({
    systems: [
      {
        name: architecture,
        parts: [
          { name: 'tokenize', run: ({ text }: Query) => searcher.terms(text) },
          { name: 'search', run: (terms: string[]) => searcher.searchTerms([terms], depth) },
        ],
      },
    ],
    queries,
    warmup,
    seed,
    signal: progress.signal,
  });
  const [system] = systems;
  const { buildSeconds, searchSeconds } = run.execution;
  return {
    queryIds: queries.map(({ queryId }) => queryId),
    rounds: 1,
    warmup,
    interleavedWith: [],
    resident: searcher.resident,
    tokenize: system!.parts.tokenize!,
    search: system!.parts.search!,
    total: system!.total,
    wholeIndexSecondsPerQuery: (buildSeconds + searchSeconds) / run.queries,
    warnings,
  };
}

async function indexFacts({ folder, facts }: Bm25Index): Promise<NonNullable<RunRecord['index']>> {
  const size = await bm25Size(folder);
  return {
    kind: 'BM25',
    vectorsPerPassage: 0,
    rows: 0,
    dimensions: 0,
    shards: 1,
    sizeBytes: {
      vectors: 0,
      identifiers: size.identifiersBytes,
      offsets: 0,
      postings: size.postingsBytes,
      terms: size.termsBytes,
      lengths: size.lengthsBytes,
      total: size.totalBytes,
    },
    projectedBytes: Math.round((size.postingsBytes / facts.passages) * wikipediaPassages),
    projectedPassages: wikipediaPassages,
  };
}
