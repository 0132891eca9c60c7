/** Facts about the machine and about this program. */
import { execFile } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { availableParallelism, cpus, type as osType, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { GitFacts, MachineFacts } from './run-record.js';

export interface Surroundings {
  readonly benchVersion: string;
  readonly git: GitFacts | null;
  readonly machine: MachineFacts;
}

/** What a record says of the machine and of the version of this program. */
export async function describeMachine(): Promise<Surroundings> {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };
  const processors = cpus();
  const limit = process.constrainedMemory();
  return {
    benchVersion: version,
    git: await gitFacts(root),
    machine: {
      cpu: processors[0]?.model.trim() ?? 'unknown',
      cores: processors.length,
      availableCores: availableParallelism(),
      memoryBytes: totalmem(),
      // Without a limit some kernels name one far above what there is.
      ...(limit !== undefined && limit > 0 && limit < totalmem() ? { memoryLimitBytes: limit } : {}),
      os: `${osType()} ${release()} ${process.arch}`,
      node: process.versions.node,
    },
  };
}

/** Null where the folder is not the top of a git checkout (an installed package), or git is not there. */
export async function gitFacts(folder: string): Promise<GitFacts | null> {
  const git = async (...command: string[]) =>
    (await promisify(execFile)('git', ['-C', folder, ...command])).stdout.trim();
  try {
    const top = await git('rev-parse', '--show-toplevel');
    if (realpathSync(top) !== realpathSync(folder)) return null;
    const commit = await git('rev-parse', 'HEAD');
    return { commit, dirty: (await git('status', '--porcelain')) !== '' };
  } catch {
    return null;
  }
}
