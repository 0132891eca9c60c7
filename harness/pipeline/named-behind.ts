/** Systems that are named by what stands behind a colon, such as `vectors:FOLDER`: there is no list of them. */
import type { BenchConfig } from '../config/config.js';
import { BenchError } from '../errors.js';
import { settingsOfVectors } from './settings-in-play.js';
import type { System, SystemKind } from './system.js';

/** @param prefix `vectors:` @param load is called with a name that begins so */
export const prefixed = (
  prefix: string,
  load: (name: string) => Promise<Omit<System, 'name'>>,
): SystemKind => ({
  list: async () => [],
  has: async (name) => name.startsWith(prefix),
  load: async (name) => ({ name, ...(await load(name)) }),
});

/**
 * Vectors that nothing is trained for.
 * @param what has to stand behind the prefix: `a folder`
 * @param own sections beside those of every such system
 */
export const untrained = (
  prefix: string,
  what: string,
  own: readonly (keyof BenchConfig)[],
  told: Pick<System, 'summary' | 'steps'>,
): SystemKind =>
  prefixed(prefix, async (name) => {
    if (name.slice(prefix.length).trim() !== '')
      return { ...told, isTrained: false, settings: [...settingsOfVectors, ...own] };
    throw new BenchError('USAGE', `--arch ${name} names nothing: behind the colon stands ${what}.`, {
      hint: `Write ${prefix} and ${what}, without a space between.`,
    });
  });
