/** Whether this program is what its sources say, and building it where it is not. */
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { BenchError } from '../errors.js';
import { buildFolder, importSources, packageFolder } from './place.js';

/** Set in the environment once a build was made for this command: a second one would mean that builds do not help. */
const builtFor = 'BENCH_BUILT_FOR';

/**
 * Builds where sources have changed since this program was built.
 * @param script the path that this process was started with
 * @returns the program to go on with instead, as a URL to import; undefined where this one is right
 * @throws BenchError BUILD_FAILED
 */
export async function newerProgram(script: string | undefined): Promise<string | undefined> {
  const { hasSources, changedSources, buildName } = await importSources();
  const isNamed = script?.startsWith(buildFolder + path.sep) && buildName.test(path.basename(buildFolder));
  // Whoever names a build by its folder means that one.
  if (isNamed || !hasSources(packageFolder)) return undefined;
  const changes = changedSources(packageFolder, buildFolder);
  const [first, ...others] = changes;
  if (first === undefined) return undefined;
  const what = `${first}${others.length === 0 ? '' : ` and ${others.length} more`}`;
  const hint = `Mend that, or run the program as it was: node ${path.join(path.relative(process.cwd(), buildFolder), 'harness', 'cli.js')} ...`;
  if (process.env[builtFor] === String(process.pid)) {
    throw new BenchError(
      'BUILD_FAILED',
      `This program was just built, and is older than its sources: ${what}.`,
      {
        hint,
      },
    );
  }
  process.stderr.write(`building first: ${what} since the last build\n`);
  const builder = path.join(packageFolder, 'scripts', 'build.mjs');
  // stdout is for the results.
  const { status } = spawnSync(process.execPath, [builder], { stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    throw new BenchError(
      'BUILD_FAILED',
      `The sources cannot be built, and this program is older than they are: ${what}.`,
      { hint },
    );
  }
  process.env[builtFor] = String(process.pid);
  const built = realpathSync(path.join(packageFolder, 'dist'));
  // Comments alone have changed: this is what they build.
  return built === buildFolder ? undefined : pathToFileURL(path.join(built, 'harness', 'cli.js')).href;
}

/** Goes on as another program, which reads the command line itself and ends this process. */
export async function handOver(program: string): Promise<never> {
  await import(program);
  return new Promise(() => undefined);
}
