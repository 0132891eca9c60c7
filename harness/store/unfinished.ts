/**
 * Where an artifact that is being made keeps what serves only to go on from after a kill. It is no part of what is made: the
 * store removes it once the artifact is finished.
 */
import { access, rm } from 'node:fs/promises';
import path from 'node:path';
import { succeeds } from '../errors.js';

export const unfinishedName = 'unfinished';

/** @param folder of the artifact */
export const unfinishedFolder = (folder: string): string => path.join(folder, unfinishedName);

export const hasUnfinished = (folder: string): Promise<boolean> => succeeds(access(unfinishedFolder(folder)));

/** Each time that an artifact is taken, too: a process that was killed did not come this far. */
export function removeUnfinished(folder: string): Promise<void> {
  return rm(unfinishedFolder(folder), { recursive: true, force: true });
}
