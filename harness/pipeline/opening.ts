/** Opens a system from what lies on the disk, the same way in the process that made it and in any other on this machine. */
import { existsSync } from 'node:fs';
import { BenchError } from '../errors.js';
import { loadSystem } from '../systems.js';
import type { Opening, OpenSystem, WayToOpen } from './cell.js';
import type { OpenScoring } from './system.js';

/** @throws BenchError CACHE_INVALID where what it is opened from is gone */
export async function openSystem(opening: Opening, way: WayToOpen): Promise<OpenSystem> {
  const { system, from } = here(opening);
  const { open } = await (await loadSystem(system)).steps();
  return open(from, way);
}

/** Loads the code that opening it runs, which is bench's own and no part of the system. */
export async function loadCodeOf({ system, from }: Opening): Promise<void> {
  const { loadCode } = await (await loadSystem(system)).steps();
  await loadCode?.(from);
}

/** @throws BenchError CACHE_INVALID where what it is opened from is gone; TypeError for a system that does not score */
export async function openScoringOf(opening: Opening, way: WayToOpen): Promise<OpenScoring> {
  const { system, from } = here(opening);
  const { openScoring } = await (await loadSystem(system)).steps();
  if (openScoring === undefined) throw new TypeError(`${system} opens nothing that scores`);
  return openScoring(from, way);
}

function here(opening: Opening): Opening {
  const gone = opening.folders.find((folder) => !existsSync(folder));
  if (gone === undefined) return opening;
  throw new BenchError(
    'CACHE_INVALID',
    `${gone}, which ${opening.system} is opened from, is not there any more.`,
    { hint: 'Start the same command again, and leave the cache alone meanwhile.' },
  );
}
