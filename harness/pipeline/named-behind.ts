/** Systems that are named by what stands behind a colon, such as `vectors:FOLDER`: there is no list of them. */
import type { BenchConfig } from '../config/config.js';
import { BenchError } from '../errors.js';
import { settingsOfVectors } from './settings-in-play.js';
import type { System, SystemKind, SystemListing } from './system.js';

/** @param prefix `vectors:` @param load is called with a name that begins so */
export const prefixed = (
  prefix: string,
  form: SystemListing,
  load: (name: string) => Promise<Omit<System, 'name'>>,
): SystemKind => ({
  list: async () => [],
  form,
  has: async (name) => name.startsWith(prefix),
  load: async (name) => ({ name, ...(await load(name)) }),
});

interface Written {
  prefix: string;
  /** What has to stand behind the prefix: `a folder`. */
  what: string;
  /** With what stands there in capitals: `vectors:FOLDER`. */
  form: string;
}

/** A system that nothing is trained for. @param settings the sections that play a part */
export const named = (
  { prefix, what, form }: Written,
  settings: readonly (keyof BenchConfig)[],
  told: Pick<System, 'summary' | 'steps' | 'scoresOnly'>,
): SystemKind =>
  prefixed(prefix, { name: form, summary: told.summary }, async (name) => {
    if (name.slice(prefix.length).trim() !== '') return { ...told, isTrained: false, settings };
    throw new BenchError('USAGE', `--arch ${name} names nothing: behind the colon stands ${what}.`, {
      hint: `Write ${prefix} and ${what}, without a space between.`,
    });
  });

/** Vectors that nothing is trained for. @param own sections beside those of every such system */
export const untrained = (
  written: Written,
  own: readonly (keyof BenchConfig)[],
  told: Pick<System, 'summary' | 'steps'>,
): SystemKind => named(written, [...settingsOfVectors, ...own], told);
