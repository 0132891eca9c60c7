/** The counters of energy that Linux shows of a processor: RAPL, below /sys/class/powercap. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Of one domain, such as `package-0`: microjoules since some moment, beginning again from 0 behind the largest. */
interface Counter {
  readonly name: string;
  readonly file: string;
  readonly largest: number;
}

/** What reads them, or why nothing does. */
export type EnergyReading =
  | {
      readonly read: () => Promise<number[]>;
      readonly joulesBetween: (from: number[], to: number[]) => number;
    }
  | { readonly reason: string };

/**
 * Counters that do not overlap: each processor whole (`package-N`), and memory beside it (`dram`), which no package counts.
 * Cores and graphics (`core`, `uncore`) are parts of a package; `psys` holds packages.
 */
const counted = /^(package-\d+(-die-\d+)?|dram)$/;

/** @param root of the folders of counters */
export async function energyCounters(root = '/sys/class/powercap'): Promise<EnergyReading> {
  const names = await readdir(root).catch(() => []);
  const counters: Counter[] = [];
  const unread: string[] = [];
  for (const folder of names.filter((name) => /^(intel|amd)-rapl(:\d+)+$/.test(name)).sort()) {
    const file = (name: string) => path.join(root, folder, name);
    const name = await text(file('name'));
    if (name === undefined || !counted.test(name)) continue;
    const largest = Number(await text(file('max_energy_range_uj')));
    if ((await text(file('energy_uj'))) === undefined || !(largest > 0)) unread.push(name);
    else counters.push({ name, file: file('energy_uj'), largest });
  }
  // A part would stand for the whole.
  if (unread.length > 0)
    return {
      reason: `the counters of energy (${unread.join(', ')}) cannot be read: on most machines only root may`,
    };
  if (!counters.some(({ name }) => name.startsWith('package')))
    return { reason: `this machine shows no counters of energy (${root})` };
  return {
    read: () => Promise.all(counters.map(async ({ file }) => Number(await readFile(file, 'utf8')))),
    joulesBetween: (from, to) =>
      counters.reduce((sum, { largest }, i) => {
        const moved = to[i]! - from[i]!;
        return sum + (moved < 0 ? moved + largest : moved) / 1e6;
      }, 0),
  };
}

const text = (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').then(
    (found) => found.trim(),
    () => undefined,
  );
