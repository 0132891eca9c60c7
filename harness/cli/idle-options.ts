/** Options that set what has no part in anything that is asked for: whoever gives one would think that it did something. */
import { defaultConfig } from '../config/config.js';
import { flagKeys } from '../config/sources.js';
import type { FuseConfig } from '../config/system-config.js';
import { BenchError } from '../errors.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { isIdle, settingsOfMachine } from '../pipeline/settings-in-play.js';
import type { System } from '../pipeline/system.js';
import { printable } from '../printable.js';
import type { Values } from './command.js';

/**
 * The configuration file is not asked: it is there for all systems. An option that says what computes on this machine is told on
 * stderr and passed over.
 * @param systems that are asked for; an option that plays a part in one of them is fine
 * @param more sections that play a part in what is done with them
 * @throws BenchError USAGE that names every other option without a part
 */
export function refuseIdle(
  values: Values,
  systems: readonly Pick<System, 'name' | 'settings'>[],
  more: System['settings'] = [],
): void {
  const sections = [more, ...systems.map(({ settings }) => settings)];
  // What is no section at all the configuration refuses, with a near name.
  const known = defaultConfig();
  const isWithoutPart = ({ section }: Given) => Object.hasOwn(known, section) && isIdle(section, sections);
  const flags = Object.entries(flagKeys).flatMap(([flag, key]) =>
    values[flag] === undefined ? [] : [{ option: `--${flag}`, section: sectionOf(key) }],
  );
  const set = ((values.set ?? []) as readonly string[])
    .map((text) => text.split('=')[0]!.trim())
    .map((key) => ({ option: `--set ${key}`, section: sectionOf(key) }));
  const idle = [...flags, ...set].filter(isWithoutPart);
  const isOfMachine = ({ section }: Given) => settingsOfMachine.some((each) => each === section);
  const names = systems.map(({ name }) => name).join(', ');
  const told = without(idle.filter(isOfMachine), names);
  if (told !== undefined)
    process.stderr.write(
      printable(
        `note: ${told}: nothing of ${systems.length === 1 ? 'it' : 'them'} is computed by an engine.\n`,
      ),
    );
  const refused = without(
    idle.filter((each) => !isOfMachine(each)),
    names,
  );
  if (refused === undefined) return;
  throw new BenchError('USAGE', `${refused}.`, {
    hint: 'Leave it out. What stands in the configuration file for other systems does no harm; bench run --dry-run prints what plays a part.',
  });
}

/** An option of a command line, and the section of the configuration that it sets. */
interface Given {
  option: string;
  section: string;
}

const sectionOf = (key: string): string => key.split('.')[0]!;

/** `--engine and --device play no part in bm25`; undefined where there is none. */
function without(idle: readonly Given[], names: string): string | undefined {
  const options = [...new Set(idle.map(({ option }) => option))];
  if (options.length === 0) return undefined;
  return `${options.join(' and ')} ${options.length === 1 ? 'plays' : 'play'} no part in ${names}`;
}

/** @throws BenchError USAGE where a training is described and there is none */
export function refuseStart(
  start: Pick<RunRequest, 'init' | 'negatives'>,
  systems: readonly Pick<System, 'name' | 'isTrained'>[],
): void {
  const given = Object.keys(start).map((name) => `--${name}`);
  if (given.length === 0 || systems.some(({ isTrained }) => isTrained)) return;
  const names = systems.map(({ name }) => name).join(', ');
  throw new BenchError('USAGE', `${given.join(' and ')} play no part in ${names}.`, {
    hint: 'They say how an architecture is trained, and this one needs no training.',
  });
}

/** Settings of one method of fusion alone. */
const ofMethod: Readonly<Record<string, FuseConfig['method']>> = {
  'fuse.constant': 'rrf',
  'fuse.normalization': 'weighted',
};

/** As `refuseIdle`, within the settings of fusion. @throws BenchError USAGE for one of another method */
export function refuseOtherMethod({ set }: Values, { method }: FuseConfig): void {
  for (const text of (set ?? []) as readonly string[]) {
    const key = text.split('=')[0]!.trim();
    const owner = ofMethod[key];
    if (owner === undefined || owner === method) continue;
    throw new BenchError('USAGE', `--set ${key} plays no part in fuse.method=${method}.`, {
      hint: `It belongs to fuse.method=${owner}: set that too, or leave it out.`,
    });
  }
}
