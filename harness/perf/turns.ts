/** Turns of a comparison, each in a process of its own: what an earlier turn left behind would slow the next, or lie in its memory. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseJson } from '../json.js';

const script = fileURLToPath(new URL('../perf.js', import.meta.url));

/** One turn of ours that prints what it measures: `npm run perf -- NAME JOB`. @throws Error where it fails */
export function shownTurn(name: string, job: object): void {
  const argument = JSON.stringify(job);
  const argv = [script, name, argument];
  const { status, signal } = spawnSync(process.execPath, argv, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`perf ${name} ${argument} ended with ${status ?? signal}`);
}

/** The same of one that prints JSON. */
export function ownTurn<T>(name: string, job: object): T {
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
