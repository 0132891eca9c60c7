/** What a grid needs that nobody can fetch: it has to be known before the first run, not after a week of them. */
import { BenchError } from '../errors.js';
import { loadDataset } from '../plugins.js';
import type { Grid } from './grid.js';

/** Datasets of the grid that are not public and for which no folder is given. */
export async function missingFolders({ runs }: Grid): Promise<string[]> {
  const missing = new Set<string>();
  for (const { dataset, data } of runs.map(({ request }) => request)) {
    if (data !== undefined || missing.has(dataset)) continue;
    const { plugin, variant } = await loadDataset(dataset);
    if (plugin.downloads(variant).some(({ url }) => url === '')) missing.add(dataset);
  }
  return [...missing];
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
