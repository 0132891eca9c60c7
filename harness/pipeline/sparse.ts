/** The flow of an architecture that needs no training: dataset -> index -> search -> run -> measures -> record. */
import path from 'node:path';
import { presetText } from '../config/config.js';
import type { SparseArchitecture, SparseScoring, Split } from '../contracts.js';
import { type Bm25Index, bm25Size } from '../index/bm25-index.js';
import { wikipediaPassages } from '../index/size.js';
import { writeRun } from '../interchange/trec.js';
import { measureValues } from '../metrics/measure-values.js';
import type { RunRequest } from '../pipeline.js';
import type { Progress } from '../progress.js';
import { bareArchitecture, newRecord, type RunRecord, recordSuffix, runSuffix } from '../record.js';
import type { Cell } from './cell.js';
import { readHits } from './hit-files.js';
import { identicalIdsOf } from './judgements.js';
import { measureStage } from './measure-stage.js';
import { openSparse } from './open-sparse.js';
import { openTerms } from './open-system.js';
import type { Prepared } from './prepare.js';
import { datasetFacts, stemOf } from './record-stage.js';
import { timeOf } from './search-stage.js';
import { scoringOf, sparseIndexStage } from './sparse-index.js';
import { sparseSearchStage } from './sparse-search.js';
import { stageCode } from './stage-code.js';
import type { StageLog } from './stage-log.js';
import { conditionsHere, wholeIndexTime } from './whole-index.js';

const split: Split = 'test';

export async function makeSparseCell(
  request: RunRequest,
  architecture: SparseArchitecture,
  prepared: Prepared,
  log: StageLog,
  progress: Progress,
): Promise<Cell> {
  const { config } = request;
  const { store, dataset } = prepared;
  const scoring = scoringOf(architecture, config);
  const indexed = await log.artifact('index', () => sparseIndexStage(dataset, store, scoring, progress));
  const { index, searcher, buildSeconds } = await openSparse(
    indexed.folder,
    scoring,
    config.search.memoryMiB,
  );
  try {
    const queries = await dataset.queries(split);
    const { depth } = config.search;
    const identicalIds = identicalIdsOf(config, dataset);
    const run = await log.artifact('search', () =>
      sparseSearchStage(
        prepared,
        { key: indexed.key, index, searcher, buildSeconds },
        { scoring, split, identicalIds },
        progress,
      ),
    );
    const hits = await readHits(run);
    const measured = await log.plain(
      'measure',
      () => measureStage({ dataset, split, index, hits, measures: config.measures, identicalIds }),
      stageCode('measure', { dataset }),
    );
    const stem = path.join(config.out, stemOf(request, dataset));
    const runFile = await writeRun(`${stem}${runSuffix}`, measured.run, request.architecture);
    const record = await newRecord({
      seed: request.seed,
      preset: presetText(config),
      config: { ...config, bm25: scoringValues(scoring) },
      arch: bareArchitecture(request.architecture, request.architecture),
      dataset: await datasetFacts(dataset, split),
      device: { engine: null, device: 'cpu', searcher: 'bm25', threads: 1, versions: {} },
      stages: [...log.stages],
      index: await indexFacts(index),
      queryIds: measured.evaluation.queryIds,
      measures: measureValues(measured.evaluation),
      run: { ...runFile, depth },
      warnings: measured.warnings,
    });
    return {
      request,
      file: `${stem}${recordSuffix}`,
      record,
      queries,
      wholeIndex: wholeIndexTime(run.facts.queries, {
        run: { timed: timeOf(run.facts), wanted: await conditionsHere(1) },
      }),
      openBytes: searcher.resident ? record.index!.sizeBytes.total : 0,
      // A search reads the lists of its own terms.
      rereads: false,
      searchable: [indexed.key],
      cached: log.cached,
      open: () => openTerms(prepared, indexed.folder, scoring),
    };
  } finally {
    await index.close();
  }
}

/** As the configuration writes it, with every value filled in. */
const scoringValues = ({ formula: _, ...values }: SparseScoring) => values;

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
