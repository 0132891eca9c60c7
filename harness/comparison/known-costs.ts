/** The costs that there are: every file of `harness/costs`. They are loaded when this is imported. */
import path from 'node:path';
import { builtRoot, type Kind, load, namesIn } from '../plugin-files.js';
import type { Cost } from './cost.js';

const kind: Kind = {
  folder: path.join('harness', 'costs'),
  members: { place: 'number', columns: 'function' },
};

/** By place, and by name where places are alike. @throws BenchError PLUGIN_INVALID for a file that is no cost */
export async function findCosts(root: string = builtRoot): Promise<Cost[]> {
  const found = await Promise.all(namesIn(kind, root).map((name) => load<Cost>(kind, name, root)));
  return found.sort((a, b) => a.place - b.place);
}

export const costs: readonly Cost[] = await findCosts();
