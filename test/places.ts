/** Where things lie, seen from the built tests: these stand in dist/test, what they read in the checkout. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openUnder } from './open-files.js';

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

const passing: string[] = [];

/** A new folder below the temporary one, which goes when the process ends; nothing in it is open then. */
export function passingFolder(name: string): string {
  if (passing.length === 0)
    process.once('exit', () => {
      for (const folder of passing) {
        const open = openUnder(folder);
        if (open.length > 0) throw new Error(`left open: ${open.join(', ')}`);
        rmSync(folder, { recursive: true, force: true });
      }
    });
  const folder = mkdtempSync(path.join(tmpdir(), `strata-${name}-`));
  passing.push(folder);
  return folder;
}
