/** Tells builds that this program is in use: what it has not imported yet must still be there then. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { buildFolder, importSources } from './place.js';

/** Until this process ends. A lease of a process that is gone counts for nothing. */
export async function leaseProgram(): Promise<void> {
  const { buildName } = await importSources();
  // Nothing is built beside an installed package.
  if (!buildName.test(path.basename(buildFolder))) return;
  const file = path.join(buildFolder, 'in-use', `${process.pid}-${hostname()}`);
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '');
  } catch {
    // Whoever may not write here does not build here; somebody else's builds wait an hour.
    return;
  }
  process.on('exit', () => rmSync(file, { force: true }));
}
