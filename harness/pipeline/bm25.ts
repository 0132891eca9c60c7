/** BM25 as a system: dataset -> index of terms -> search -> hits. */

import { closingOnFailure } from '../closing.js';
import type { BenchConfig } from '../config/config.js';
import type { Query, SparseScoring } from '../contracts.js';
import { counted } from '../counted.js';
import { type Bm25Index, bm25Size } from '../index/bm25-index.js';
import { wikipediaPassages } from '../index/size.js';
import { bareArchitecture, type RunRecord } from '../record.js';
import { openSparse } from '../search/bm25.js';
import { scoringOf } from '../stages/index-terms.js';
import { type Known, knownOf } from '../stages/known.js';
import { timeOf } from '../stages/search.js';
import { askedOf, type SystemStages, termStages } from '../stages/systems.js';
import { Workbench } from '../stages/workbench.js';
import type { OpenSystem } from './cell.js';
import type { StageTime, Trial } from './estimate/stage-time.js';
import { sparseStages } from './estimate/stage-times.js';
import { termRates } from './estimate/term-rates.js';
import type { RunRequest } from './run-request.js';
import { StageLog } from './stage-log.js';
import type { AnsweredSystem, AnswerRequest, Means, SystemPlan } from './system.js';
import { conditionsHere } from './whole-index.js';

/** Nothing: it comes with bench. */
export const requirements = async (): Promise<Means> => ({});

export async function plan({ config }: RunRequest): Promise<SystemPlan> {
  return {
    stages: [
      `index     every passage; ${JSON.stringify(scoringOf(config))}`,
      `search    the test queries, ${counted(config.search.depth, 'hits')} each`,
    ],
    needs: async () => [],
  };
}

export async function times({ request: { config }, part, store, progress }: Trial): Promise<StageTime[]> {
  const prepared = { config, offline: true, store, dataset: part.dataset };
  const bench = new Workbench(prepared, progress, new StageLog(store));
  return sparseStages(await termRates(part, bench), part.whole, config);
}

export async function stages(request: RunRequest, known: Known): Promise<SystemStages> {
  const { run } = termStages(request, known, askedOf(request, known));
  return { run, all: [run] };
}

export async function answer(asking: AnswerRequest): Promise<AnsweredSystem> {
  const { request, prepared, log, progress } = asking;
  const { config, architecture } = request;
  const bench = new Workbench(prepared, progress, log);
  const { scoring, ...stages } = termStages(request, await knownOf(bench), asking);
  const { folder } = await bench.logged(stages.index, 'index');
  const run = await bench.logged(stages.run, 'search');
  const from: TermsFrom = { config, folder, scoring };
  const { index, searcher } = await openSparse(folder, scoring, config.search.memoryMiB);
  return closingOnFailure(index, async () => {
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
      stages: { run: stages.run, all: [stages.run] },
      searchable: [stages.index],
      opening: { system: architecture, folders: [folder], from },
      close: () => index.close(),
    };
  });
}

/** By which it is opened: JSON. */
interface TermsFrom {
  readonly config: Pick<BenchConfig, 'search'>;
  /** Of the index. */
  readonly folder: string;
  readonly scoring: SparseScoring;
}

/** Terms instead of vectors: there is nothing to encode. */
export async function open(from: object): Promise<OpenSystem> {
  const { config, folder, scoring } = from as TermsFrom;
  const { search } = config;
  const { index, searcher } = await openSparse(folder, scoring, search.memoryMiB);
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
    projectedBytes: Math.round((size.postingsBytes / Math.max(1, facts.passages)) * wikipediaPassages),
    projectedPassages: wikipediaPassages,
  };
}
