/** Opens a system from what lies on the disk: any process on this machine can. */
import { loadSystem } from '../systems.js';
import type { Opening, OpenSystem } from './cell.js';
import type { OpenScoring } from './system.js';

/** @throws TypeError for a system that gave no opening */
export async function openSystem({ system, from }: Opening): Promise<OpenSystem> {
  const { open } = await (await loadSystem(system)).steps();
  if (open === undefined) throw new TypeError(`${system} opens nothing`);
  return open(from);
}

/** @throws TypeError for a system that gave no opening */
export async function openScoringOf({ system, from }: Opening): Promise<OpenScoring> {
  const { openScoring } = await (await loadSystem(system)).steps();
  if (openScoring === undefined) throw new TypeError(`${system} opens nothing that scores`);
  return openScoring(from);
}
