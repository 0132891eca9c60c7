/** Where things lie, seen from the built tests: these stand in dist/test, what they read in the checkout. */
import path from 'node:path';

/** The top of the checkout. */
export const root = path.resolve(import.meta.dirname, '../..');

/** The command, as built. */
export const cli = path.resolve(import.meta.dirname, '../harness/cli.js');

/** Real data, which not every machine has. */
export const sharedData = path.resolve(root, process.env.STRATA_TEST_DATA ?? '../shared/data');

/** A file or folder of test/fixtures. */
export function inFixtures(name: string): string {
  return path.join(root, 'test/fixtures', name);
}
