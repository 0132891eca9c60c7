/** What a loader is: a reader of the program under the fuzzer, with the valid inputs that mutations begin from. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { ErrorCode } from '../../harness/errors.js';

/** The files of one input, by their path within its folder. */
export type Files = Readonly<Record<string, Uint8Array>>;

export interface Loader {
  /** Given to `npm run fuzz -- NAME`. */
  name: string;
  /** What mutations begin from, the same at every call. The first is taken; the others are taken or refused. */
  inputs(): Promise<readonly Files[]> | readonly Files[];
  /** The codes with which it may refuse an input. Any other error is a fault of the program. */
  codes: readonly ErrorCode[];
  /** Whether it writes within the folder; where it does not, a file that appears there is a fault. */
  writes?: true;
  /**
   * Reads the input that lies in a folder, as a command would.
   * @throws BenchError where it refuses it; UnfitResult where what it read cannot be right
   */
  load(folder: string): Promise<void>;
}

/** An input was taken, and what came of it breaks a promise: not finite, twice, out of range. */
export class UnfitResult extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnfitResult';
  }
}

/** Where they lie. */
export const loadersFolder = path.join(import.meta.dirname, 'loaders');

/** Every loader: those that the files of `loaders/` export by default. */
export async function allLoaders(folder: string = loadersFolder): Promise<Loader[]> {
  const found: Loader[] = [];
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.js')) continue;
    const module = (await import(path.join(folder, name))) as { default: readonly Loader[] };
    found.push(...module.default);
  }
  return found;
}
