/** What is asked of Slurm's commands, by made ones that stand in for them: a watcher that outlives a squeue that fails, jobs apart. */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { runOnSlurm } from '../harness/cli/on-slurm.js';
import type { BenchError } from '../harness/errors.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import { submit, watch } from '../harness/tasks/slurm.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
const path0 = process.env.PATH;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-slurm-calls-'));
  process.env.PATH = `${root}:${path0}`;
});
beforeEach(async () => {
  for (const name of ['asked', 'submitted']) await rm(path.join(root, name), { force: true });
  await command('sbatch', 'echo "$@" >> "$here/submitted"; echo $((100 + $(wc -l < "$here/submitted")))');
});
after(async () => {
  process.env.PATH = path0;
  await rm(root, { recursive: true, force: true });
});

async function command(name: string, script: string): Promise<void> {
  const file = path.join(root, name);
  await writeFile(file, `#!/bin/sh\nhere='${root}'\n${script}\n`);
  await chmod(file, 0o755);
}

function noting(): { progress: Progress; notes: string[] } {
  const notes: string[] = [];
  return { progress: { ...silentProgress(), note: (line: string) => void notes.push(line) }, notes };
}

/** Fails so many times, then says that a job runs, then that none is left. */
const failing = (times: number) =>
  command(
    'squeue',
    `echo >> "$here/asked"; n=$(wc -l < "$here/asked")
[ "$n" -le ${times} ] && { echo 'Unable to contact slurm controller' >&2; exit 1; }
[ "$n" -eq ${times + 1} ] && echo '8 8 RUNNING None'
exit 0`,
  );

const jobs = { work: '7', run: '8' };

async function ended(name: string): Promise<string> {
  const folder = path.join(root, name);
  await mkdir(folder);
  await writeFile(path.join(folder, 'run.exit'), '0\n');
  await writeFile(path.join(folder, 'run.out'), 'a table\n');
  await writeFile(path.join(folder, 'run.log'), 'train: 1 of 2\nmlr:\nerror A_B: c\nhint: d\n');
  return folder;
}

test('a squeue that fails is asked again, which is said once, and the jobs are watched to their end', async () => {
  await failing(3);
  const { progress, notes } = noting();
  const result = await watch(jobs, await ended('again'), progress, { pauseMs: 1, patience: 3 });
  assert.deepEqual(result, { printed: 'a table\n', exitCode: 0 });
  assert.deepEqual(notes, [
    'slurm: squeue: Unable to contact slurm controller; it is asked again',
    'slurm: 1 running',
    'slurm: all jobs have ended',
    'mlr:\nerror A_B: c\nhint: d',
  ]);
});

test('one that fails for long ends the watching with its reason', async () => {
  await failing(1000);
  const { progress } = noting();
  await assert.rejects(
    watch(jobs, await ended('long'), progress, { pauseMs: 1, patience: 2 }),
    (error: BenchError) => error.code === 'UNAVAILABLE' && /Unable to contact/.test(error.message),
  );
  assert.equal(await readFile(path.join(root, 'asked'), 'utf8'), '\n\n\n');
});

const sweep = (name: string) => ({
  ...{ work: ['work'], run: ['run'], workers: 2, sbatch: ['--mem=1G'], sbatchRun: ['--exclusive'] },
  below: path.join(root, name),
});

test('two that give the same command at once have scripts, logs and exit codes apart', async () => {
  const [one, other] = await Promise.all([submit(sweep('twice')), submit(sweep('twice'))]);
  assert.notEqual(one.folder, other.folder);
  for (const { folder } of [one, other]) {
    assert.equal(path.dirname(folder), path.join(root, 'twice'));
    assert.match(await readFile(path.join(folder, 'run.sh'), 'utf8'), new RegExp(`${folder}/run.exit`));
  }
});

test('options of the run are not those of the workers', async () => {
  const { run, work } = await submit(sweep('options'));
  assert.deepEqual([work, run], ['101', '102']);
  const [working, running] = (await readFile(path.join(root, 'submitted'), 'utf8')).split('\n');
  assert.match(working!, /--mem=1G .*--array=0-1 .*work\.sh$/);
  assert.doesNotMatch(working!, /exclusive/);
  assert.match(running!, /--mem=1G --exclusive .*--dependency=afterany:101 .*run\.sh$/);
});

test('what is wrong with a run is said before anything is submitted', async () => {
  const here = path.join(root, 'wrong');
  await writeTinyCollection(path.join(here, 'data'));
  await writeFile(path.join(here, 'data', 'corpus.jsonl'), '{"_id": 1');
  await assert.rejects(
    runOnSlurm({ on: 'slurm' }, [tinyRequest(here, 'bm25', 1)], silentProgress(), () => undefined),
    (error: BenchError) => error.code === 'DATA_INVALID',
  );
  await assert.rejects(readFile(path.join(root, 'submitted')), { code: 'ENOENT' });
});
