/** The two sides of a comparison, each turn in a process of its own: what an earlier turn left behind would slow the next. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseJson } from '../json.js';

/** One turn of ours: `npm run perf -- NAME JOB`, which prints JSON. */
export function ownTurn<T>(name: string, job: object): T {
  const script = fileURLToPath(new URL('../perf.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, name, JSON.stringify(job)], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`perf ${name} ${JSON.stringify(job)} failed: ${stderr.trim()}`);
  return parseJson(stdout) as T;
}

/** One turn in Python; the reason where it has none. PYTHON=... chooses an interpreter. @param script beside this file's source */
export function pythonTurn<T>(script: string, job: object): T | { reason: string } {
  const file = fileURLToPath(new URL(`../../../harness/perf/${script}`, import.meta.url));
  const python = process.env.PYTHON ?? 'python3';
  const { status, stdout, stderr, error } = spawnSync(python, [file, JSON.stringify(job)], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status === 0) return parseJson(stdout.trim().split('\n').at(-1)!) as T;
  return { reason: error === undefined ? stderr.trim().split('\n').at(-1)! : `${python}: ${error.message}` };
}
