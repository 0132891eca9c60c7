/** What stands behind the colon of `vectors:FOLDER` and its like. */
import { BenchError } from '../errors.js';

/** @param prefix `vectors:` @param what has to stand there: `a folder` @throws BenchError USAGE where nothing does */
export function assertNamed(name: string, prefix: string, what: string): void {
  if (name.slice(prefix.length).trim() !== '') return;
  throw new BenchError('USAGE', `--arch ${name} names nothing: behind the colon stands ${what}.`, {
    hint: `Write ${prefix} and ${what}, without a space between.`,
  });
}
