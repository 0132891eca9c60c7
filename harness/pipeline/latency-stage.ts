/** Times queries one at a time, from text to hits. */
import type { Query, Split } from '../contracts.js';
import { measureLatency } from '../latency/latency.js';
import type { Progress } from '../progress.js';
import { stream } from '../random.js';
import type { LatencyFacts } from '../record.js';
import type { Artifact } from '../store/store.js';
import type { Prepared } from './prepare.js';
import type { RunFacts, Searching } from './search-stage.js';

/** Undefined where no query is to be timed. */
export async function latencyStage(
  { config, dataset }: Prepared,
  { searcher, queryEncoder, checkpoint }: Searching,
  { split, seed }: { split: Split; seed: number },
  run: Artifact<RunFacts>,
  progress: Progress,
): Promise<LatencyFacts | undefined> {
  const all = await dataset.queries(split);
  const queries = chosenQueries(all, config.latency.queries, seed);
  if (queries.length === 0) return undefined;
  const tokenize = checkpoint.texts.query;
  const { depth } = config.search;
  const encode = async (tokens: Int32Array) => (await queryEncoder.encode([tokens])).vectors;
  const search = (vector: Float32Array) => searcher.search(vector, 1, depth);
  // Once through all of them: a length met for the first time is a program to compile, which no user waits for twice.
  const stage = progress.stage('latency', queries.length, 'queries');
  for (const [i, { text }] of queries.entries()) {
    await search(await encode(tokenize(text)));
    stage.update(i + 1, 'warming up');
    progress.checkInterrupted();
  }
  const measured = await measureLatency({
    systems: [
      {
        name: checkpoint.facts.architecture,
        parts: [
          { name: 'tokenize', run: ({ text }: Query) => tokenize(text) },
          { name: 'encode', run: encode },
          { name: 'search', run: search },
        ],
      },
    ],
    queries,
    warmup: config.latency.warmup,
    seed,
    signal: progress.signal,
  });
  stage.end();
  const [system] = measured.systems;
  const { buildSeconds, searchSeconds } = run.facts.execution;
  return {
    queryIds: queries.map(({ queryId }) => queryId),
    rounds: 1,
    warmup: config.latency.warmup,
    interleavedWith: [],
    resident: searcher.resident,
    tokenize: system!.parts.tokenize!,
    encode: system!.parts.encode!,
    search: system!.parts.search!,
    total: system!.total,
    wholeIndexSecondsPerQuery: (buildSeconds + searchSeconds) / run.facts.queries,
    warnings: measured.warnings,
  };
}

export function chosenQueries(queries: readonly Query[], count: number, seed: number): Query[] {
  const order = stream(seed, 'latency', 'queries').shuffle(queries.map((_, i) => i));
  return order.slice(0, count).map((i) => queries[i]!);
}
