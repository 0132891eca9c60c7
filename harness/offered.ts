/**
 * Options of the command that this process runs: what is found deep below the command line is told with a hint, and a hint names no
 * option that the command does not have. Imports nothing of ours.
 */

let offered: ReadonlySet<string> | undefined;

/** Of the whole process from now on, which runs one command. */
export function offer(options: Iterable<string>): void {
  offered = new Set(options);
}

/** Whether the command has an option; true where no command runs, and for its children. @param option without dashes */
export const offers = (option: string): boolean => offered?.has(option) ?? true;

/** What of a hint holds for options that the command has; empty where it lacks one. @param options without dashes */
export const whereOffered = (options: readonly string[], text: string): string =>
  options.every(offers) ? text : '';

/** Where a command writes, as a hint names it: `--cache and --out`; empty where it has neither. */
export const placesOffered = (joined: 'and' | 'or'): string =>
  ['cache', 'out']
    .filter(offers)
    .map((option) => `--${option}`)
    .join(` ${joined} `);
