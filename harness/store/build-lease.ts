/** Tells builds that this program is in use: what it has not imported yet must still be there then. */
import path from 'node:path';
import { buildFolder, importSources } from '../program/place.js';
import { announceIn, neighboursIn } from './running.js';

const leases = (build: string): string => path.join(build, 'in-use');

/**
 * Until this process ends, or no longer gives signs of life. Whoever may not write there does not build there; somebody else's builds
 * wait an hour.
 */
export async function leaseBuild(): Promise<void> {
  const { buildName } = await importSources();
  // Nothing is built beside an installed package.
  if (buildName.test(path.basename(buildFolder))) await announceIn(leases(buildFolder));
}

/** Whether another program that was started from a build still runs; `scripts/build.mjs` asks. */
export async function isBuildUsed(build: string): Promise<boolean> {
  return (await neighboursIn(leases(build))).length > 0;
}
