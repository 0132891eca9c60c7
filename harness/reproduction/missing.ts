/** What a grid needs that nobody can fetch: it has to be known before the first run, not after a week of them. */
import { BenchError } from '../errors.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { loadDataset } from '../plugins.js';
import type { Grid, GridRun } from './grid.js';

/** Datasets of the grid that are not public and for which no folder is given. */
export async function missingFolders({ runs }: Grid): Promise<string[]> {
  const missing = new Set<string>();
  for (const { request } of runs) {
    if (!missing.has(request.dataset) && (await isMissing(request))) missing.add(request.dataset);
  }
  return [...missing];
}

/** Whether a run has no folder of a dataset that cannot be downloaded. */
export async function isMissing({ dataset, data }: RunRequest): Promise<boolean> {
  if (data !== undefined) return false;
  const { plugin, variant } = await loadDataset(dataset);
  return plugin.downloads(variant).some(({ url }) => url === '');
}

/** @throws BenchError PATH_INVALID that lists them all */
export async function assertFolders(grid: Grid): Promise<void> {
  const missing = await missingFolders(grid);
  if (missing.length === 0) return;
  throw new BenchError(
    'PATH_INVALID',
    `${missing.join(', ')} cannot be downloaded, and no folder is given: their cells would stay empty.`,
    {
      hint: `Give each with --data ${missing[0]}=DIR ('bench dataset info ${missing[0]}' says what it holds), or go on without them: --without-missing.`,
    },
  );
}

/** The runs of a grid that need none of some datasets. @throws BenchError PATH_INVALID where there is none */
export function runsWithout(grid: Grid, without: readonly string[]): GridRun[] {
  const possible = grid.runs.filter((run) => needs(run).every((dataset) => !without.includes(dataset)));
  // A training alone fills no entry: it goes with the last of those that were to be evaluated with it.
  const filling = grid.entries.flatMap(({ seeds }) => seeds.flatMap((each) => each.runs));
  const used = new Set([...filling, ...possible.flatMap(({ after }) => after ?? [])].map(({ key }) => key));
  const runs = possible.filter(({ key }) => used.has(key));
  if (runs.length > 0 || grid.runs.length === 0) return runs;
  throw new BenchError('PATH_INVALID', `Without ${without.join(', ')} nothing of this grid is left to run.`, {
    hint: `Give a folder: --data ${without[0]}=DIR ('bench dataset info ${without[0]}' says what it holds).`,
  });
}

/** The datasets that a run takes, with those of the training whose checkpoint it evaluates. */
const needs = ({ request, after }: GridRun): string[] => [
  request.dataset,
  ...(after === undefined ? [] : needs(after)),
];
