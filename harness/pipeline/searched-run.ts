/** The file of the hits that a search left, with what made it beside it. */
import path from 'node:path';
import { type BenchConfig, presetText } from '../config/config.js';
import type { Split } from '../contracts.js';
import { writeRun } from '../interchange/trec.js';
import type { Progress } from '../progress.js';
import { newRecord, runSuffix, writeIrMetadata } from '../record.js';
import type { RunFacts } from '../stages/search.js';
import { removePartialsOf } from '../store/partials.js';
import type { Artifact } from '../store/store.js';
import { assertFileTakes, assertFolderTakes } from '../store/writable.js';
import { readHits } from './hit-files.js';
import type { Session } from './prepare.js';
import { datasetFacts, fileName, tagOf, writtenRun } from './record-stage.js';
import { type NamedPassages, runOf } from './run-of-hits.js';
import type { AnsweredSystem, SystemFacts } from './system.js';

/** A run, as `bench search --json` prints it. */
export interface SearchedRun {
  /** The file of hits. */
  run: string;
  /** What made it, as ir_metadata. */
  metadata: string;
  sha256: string;
  key: string;
  cached: boolean;
  queries: number;
  depth: number;
  searcher: string;
  warnings: readonly string[];
}

interface SearchTarget extends Pick<AnsweredSystem, 'hasTies'> {
  found: Artifact<RunFacts>;
  index: NamedPassages;
  facts: Pick<SystemFacts, 'arch' | 'device' | 'model'>;
  warnings: readonly string[];
  prepared: Session;
  /** @param run file for the hits; one in `config.out`, under a name of its own, where absent */
  asked: { split: Split; run?: string | undefined };
}

/** Whether the hits can be written where `writeSearched` will. @throws BenchError PATH_INVALID, NOT_WRITABLE, DISK_FULL */
export const assertRunTakes = ({ config, run }: { config: Pick<BenchConfig, 'out'>; run?: string }) =>
  run === undefined ? assertFolderTakes(config.out) : assertFileTakes(run);

export async function writeSearched(
  { found, index, facts, warnings, prepared: { dataset, config }, asked, ...ties }: SearchTarget,
  progress: Progress,
): Promise<SearchedRun> {
  const { split } = asked;
  const { name: system } = facts.arch;
  const name = `${fileName(dataset.name)}-${fileName(system)}-${split}-${found.key.slice(0, 8)}`;
  const file = path.resolve(asked.run ?? path.join(config.out, `${name}${runSuffix}`));
  const queries = await dataset.queries(split);
  const run = await runOf(queries, index, await readHits(found));
  await removePartialsOf(file);
  const { sha256 } = await writeRun(file, writtenRun(run, dataset, ties), tagOf(system));
  const record = await newRecord({
    ...{ ...facts, config, warnings, seed: null, preset: presetText(config), stages: [] },
    dataset: await datasetFacts(dataset, split),
    ...{ queryIds: [], measures: {} },
  });
  const metadata = await writeIrMetadata(file, record);
  const { key, cached } = found;
  if (cached) progress.note('search: from cache');
  const { depth, searcher } = found.facts;
  return { run: file, metadata, sha256, key, cached, queries: queries.length, depth, searcher, warnings };
}
