/** BM25 as a system: dataset -> index of terms -> search -> hits. */
import type { Query, SparseScoring } from '../contracts.js';
import { type Bm25Index, bm25Size } from '../index/bm25-index.js';
import { wikipediaPassages } from '../index/size.js';
import { bareArchitecture, type RunRecord } from '../record.js';
import type { OpenSystem } from './cell.js';
import type { StageTime, Trial } from './estimate/stage-time.js';
import { sparseStages } from './estimate/stage-times.js';
import { termRates } from './estimate/term-rates.js';
import { openSparse } from './open-sparse.js';
import type { Prepared } from './prepare.js';
import type { RunRequest } from './run-request.js';
import { timeOf } from './search-stage.js';
import { scoringOf, sparseIndexStage } from './sparse-index.js';
import { sparseSearchStage } from './sparse-search.js';
import type { Answering, Asking, Means, SystemPlan } from './system.js';
import { conditionsHere } from './whole-index.js';

/** Nothing: it comes with bench. */
export const requirements = async (): Promise<Means> => ({});

export async function plan({ config }: RunRequest): Promise<SystemPlan> {
  return {
    stages: [
      `index     every passage; ${JSON.stringify(scoringOf(config))}`,
      `search    the test queries, ${config.search.depth} hits each`,
    ],
    needs: async () => [],
  };
}

export async function times({ request: { config }, part, store, progress }: Trial): Promise<StageTime[]> {
  const rates = await termRates(part, scoringOf(config), config, 'test', store, progress);
  return sparseStages(rates, part.whole, config);
}

export async function answer({
  request: { config, architecture },
  prepared,
  split,
  identicalIds,
  log,
  progress,
}: Asking): Promise<Answering> {
  const { store, dataset } = prepared;
  const scoring = scoringOf(config);
  const indexed = await log.artifact('index', () => sparseIndexStage(dataset, store, scoring, progress));
  const { index, searcher, buildSeconds } = await openSparse(
    indexed.folder,
    scoring,
    config.search.memoryMiB,
  );
  try {
    const opened = { key: indexed.key, index, searcher, buildSeconds };
    const run = await log.artifact('search', () =>
      sparseSearchStage(prepared, opened, { scoring, split, identicalIds }, progress),
    );
    const facts = {
      config: { ...config, bm25: scoringValues(scoring) },
      arch: bareArchitecture(architecture, architecture),
      device: { engine: null, device: 'cpu', searcher: 'bm25', threads: 1, versions: {} },
      index: await indexFacts(index),
    };
    return {
      run,
      index,
      facts,
      given: {},
      remarks: [],
      work: { run: { timed: timeOf(run.facts), wanted: await conditionsHere(1) } },
      openBytes: searcher.resident ? facts.index.sizeBytes.total : 0,
      // A search reads the lists of its own terms.
      rereads: false,
      searchable: [indexed.key],
      open: () => openTerms(prepared, indexed.folder, scoring),
      close: () => index.close(),
    };
  } catch (error) {
    await index.close();
    throw error;
  }
}

/** Terms instead of vectors: there is nothing to encode. */
async function openTerms(
  { config: { search } }: Prepared,
  indexFolder: string,
  scoring: SparseScoring,
): Promise<OpenSystem> {
  const { index, searcher } = await openSparse(indexFolder, scoring, search.memoryMiB);
  return {
    parts: [
      { name: 'tokenize', run: ({ text }: Query) => searcher.terms(text) },
      { name: 'search', run: (terms: string[]) => searcher.searchTerms([terms], search.depth) },
    ],
    answerBatch: (queries) =>
      searcher.search(
        queries.map(({ text }) => text),
        search.depth,
      ),
    resident: searcher.resident,
    close: () => index.close(),
  };
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
