/** Submitters and workers of a queue as processes that are looked at, and what they have to leave. For tests. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { RunRecord } from '../harness/record.js';
import { assertHeldFiles } from './killed-runs.js';
import { cli } from './places.js';

export interface Running {
  readonly child: ChildProcess;
  said(): string;
  readonly ended: Promise<[number | null, string | null]>;
}

const started = new Set<ChildProcess>();

/** What a test that failed has left would keep its process from ending. */
export function endStarted(): void {
  for (const child of started) child.kill('SIGKILL');
}

/** `bench ...` with a lease of four seconds. */
export function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [cli, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, BENCH_LEASE_SECONDS: '4', ...env },
  });
  started.add(child);
  child.once('close', () => started.delete(child));
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      text += data.toString();
    });
  return { child, said: () => text, ended: once(child, 'close') as Running['ended'] };
}

/** Runs in the processes of tasks before anything else does. */
export async function preload(root: string, name: string, code: string): Promise<Record<string, string>> {
  const file = path.join(root, `${name}.mjs`);
  await writeFile(
    file,
    `import fs from 'node:fs/promises';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
if (process.argv[2] === 'task') {
${code}
  syncBuiltinESMExports();
}
`,
  );
  return { NODE_OPTIONS: `--import ${pathToFileURL(file).href}` };
}

/** Fails where the process ends before. */
export async function until(look: () => boolean, { said, child }: Running): Promise<void> {
  while (!look()) {
    assert.ok(child.exitCode === null && child.signalCode === null, said());
    await wait(50);
  }
}

/** Fails where a sweep left other files than one that ran alone, or the submitter made a part of them. */
export async function assertAsAlone(shared: string, alone: string, runs: number): Promise<void> {
  const files = await assertHeldFiles(shared, alone);
  const records = files.filter((file) => file.endsWith('.record.json'));
  assert.equal(records.length, runs);
  for (const file of records) {
    const { stages } = JSON.parse(await readFile(path.join(shared, file), 'utf8')) as RunRecord;
    const anew = stages.filter(({ key, execution }) => key !== null && !execution.cached);
    assert.deepEqual(anew, [], file);
  }
}

/** The records that a sweep left in `out`. */
export async function recordsIn(shared: string): Promise<RunRecord[]> {
  const out = path.join(shared, 'out');
  const names = (await readdir(out)).filter((name) => name.endsWith('.record.json'));
  const texts = names.map((name) => readFile(path.join(out, name), 'utf8'));
  return (await Promise.all(texts)).map((text) => JSON.parse(text) as RunRecord);
}

/** The names of the machines that measured, of each record with latencies. */
export async function measurersIn(shared: string): Promise<(string | undefined)[]> {
  const timed = (await recordsIn(shared)).filter(({ latency }) => latency !== undefined);
  return timed.map(({ device }) => device.machine.pinned);
}
