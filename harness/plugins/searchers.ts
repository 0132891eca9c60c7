/** Finds searchers: every file of `harness/searchers` is one. */
import path from 'node:path';
import { unknownName } from '../errors.js';
import { builtRoot, type Kind, load, namesIn } from '../plugin-files.js';
import type { SearcherPlugin } from '../search/searcher.js';

const searcher: Kind = {
  folder: path.join('harness', 'searchers'),
  members: { summary: 'string', without: 'string', check: 'function', versions: 'function' },
};

export const searcherNames = (root: string = builtRoot): string[] => namesIn(searcher, root);

/** @throws BenchError UNKNOWN_NAME with a near name */
export async function loadSearcher(name: string, root: string = builtRoot): Promise<SearcherPlugin> {
  const names = searcherNames(root);
  if (!names.includes(name)) throw unknownName('searcher', name, ['auto', ...names]);
  return load<SearcherPlugin>(searcher, name, root);
}
