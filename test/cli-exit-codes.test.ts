import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { computeClass } from '../harness/program/compute-class.js';
import { cli } from './places.js';

const folder = mkdtempSync(path.join(tmpdir(), 'bench-cli-'));
after(() => rmSync(folder, { recursive: true }));

function bench(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...argv], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('help goes to stdout and is no error, for bench and for every command it lists', () => {
  const { status, stdout, stderr } = bench('--help');
  assert.deepEqual([status, stderr], [0, '']);
  const commands = [...stdout.matchAll(/^ {2}bench (\w+) {2,}/gm)].map(([, name]) => name!);
  assert.ok(commands.includes('run') && commands.includes('doctor'));
  for (const name of commands) {
    const help = bench(name, '--help');
    assert.equal(help.status, 0, name);
    assert.match(help.stdout, new RegExp(`^bench ${name} `));
    assert.match(help.stdout, /Examples:\n/);
    for (const line of help.stdout.split('\n')) assert.ok(line.length <= 100, line);
  }
});

test('the version is that of the package', () => {
  assert.match(bench('--version').stdout, /^\d+\.\d+\.\d+\n$/);
});

test('a wrong request ends with 2, says what was seen and what to do, and prints no result', () => {
  const run = ['run', '--arch', 'mlr-sc', '--dataset', 'sample'];
  const cases: [string[], RegExp][] = [
    [[], /^error USAGE: bench needs a command, and none was given\.\nhint: .*--help/],
    [['--json'], /'--json' came first/],
    [['rum'], /^error UNKNOWN_NAME: There is no command 'rum'\. Did you mean 'run'\?/],
    [['toString'], /There is no command 'toString'/],
    [['run'], /--arch is missing[\s\S]*--dataset is missing/],
    [[...run, '--seed', '1'], /There is no option --seed\. Did you mean --seeds\?/],
    [[...run, '--dryRun'], /There is no option --dryRun\. Did you mean --dry-run\?/],
    [[...run, '--no-offline'], /There is no option --no-offline/],
    [[...run, '-x'], /There is no option -x/],
    [[...run, 'squad'], /'squad' is not expected here/],
    [['run', '--dataset', 'sample', '--arch'], /arch/],
    [[...run, '--model', 'a', '--model', 'b'], /--model was given 2 times/],
    [['run', '--arch', 'mlr,', '--dataset', 'sample'], /has an empty name/],
    [
      [...run, '--seeds', 'abc'],
      /^error CONFIG_INVALID[\s\S]*seeds: "abc" is not .*whole number.*\(--seeds abc\)/,
    ],
    [[...run, '--set', 'train.epochz=3'], /train\.epochz: there is no such key, did you mean 'epochs'\?/],
    [[...run, '--set', 'train.epochs'], /--set needs key=value and got 'train\.epochs'/],
    [[...run, '--engine', 'onx'], /did you mean 'onnx'/],
    [[...run, '--config', 'nowhere.json'], /^error PATH_INVALID: There is no configuration file/],
    [
      [...run, '--data', 'nowhere'],
      /^error PATH_INVALID: --data nowhere cannot be used: there is no such folder/,
    ],
    [[...run, '--data', cli], /it is not a folder/],
    [['run', '--arch', 'mlr-cs', '--dataset', 'sample'], /There is no architecture 'mlr-cs'\. Did you mean/],
    [
      ['run', '--arch', 'mlr-sc', '--dataset', 'sampel'],
      /There is no dataset 'sampel'\. Did you mean 'sample'\?/,
    ],
    [['list'], /needs to know what to list/],
    [['list', 'datasetts'], /There is no list 'datasetts'\. Did you mean 'datasets'\?/],
  ];
  for (const [argv, expected] of cases) {
    const { status, stdout, stderr } = bench(...argv);
    const asked = argv.join(' ');
    assert.equal(status, 2, `${asked}: ${stderr}`);
    assert.equal(stdout, '', asked);
    assert.match(stderr, expected, asked);
    assert.doesNotMatch(stderr, /\n {4}at /, `${asked}: no stack`);
  }
});

test('a file where a folder is to be made is refused by name', () => {
  writeFileSync(path.join(folder, 'taken'), '');
  for (const [option, other] of [
    ['--out', '--cache'],
    ['--cache', '--out'],
  ] as const) {
    const run = ['run', '--arch', 'bm25', '--dataset', 'sample', option, 'taken', other, 'free'];
    const { status, stderr } = bench(...run);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /error PATH_INVALID: .*taken.* cannot be made: a file is in its way\.\nhint: /);
    assert.doesNotMatch(stderr, /bug/);
  }
});

test('lists are for people, and with --json for programs', () => {
  const { status, stdout } = bench('list', 'engines');
  assert.equal(status, 0);
  assert.match(stdout, /^auto .*\nonnx .*\n/);
  const items = JSON.parse(bench('list', 'presets', '--json').stdout) as { name: string; summary: string }[];
  assert.deepEqual(
    items.slice(0, 2).map(({ name }) => name),
    ['small', 'paper'],
  );
  // Those of which there is no list stand with how they are written.
  const systems = JSON.parse(bench('list', 'systems', '--json').stdout) as typeof items;
  const names = systems.map(({ name }) => name);
  for (const name of ['mlr-sc', 'bm25', 'run:FILE', 'vectors:FOLDER', 'fuse:A+B', 'rerank:A>B'])
    assert.ok(names.includes(name), name);
  assert.ok(systems.every(({ summary }) => summary.length > 0));
});

test('the doctor finds what is here, and ends with 3 where a folder cannot be used', () => {
  const fine = bench('doctor', '--json');
  assert.equal(fine.status, 0, fine.stderr);
  const checks = JSON.parse(fine.stdout) as { name: string; state: string; detail: string }[];
  const stateOf = (name: string) => checks.find((check) => check.name === name)?.state;
  assert.equal(stateOf('Node.js'), 'ok');
  assert.equal(stateOf('engine onnx'), 'ok');
  assert.equal(stateOf('searcher exact'), 'ok');
  assert.equal(checks.find(({ name }) => name === 'compute class')?.detail, computeClass());
  assert.equal(stateOf('cache for several hosts'), 'ok');
  // The verdict comes last.
  assert.deepEqual(
    checks.slice(-2).map(({ name }) => name),
    ['sample and squad', 'table 2 of the paper'],
  );
  assert.equal(stateOf('sample and squad'), 'ok');
  const paper = checks.at(-1)!;
  if (stateOf('engine tensorflow') !== 'ok')
    assert.match(paper.detail, /^not on this machine: no engine on a GPU/);
  writeFileSync(path.join(folder, 'a-file'), '');
  const { status, stdout } = bench('doctor', '--out', 'a-file/results');
  assert.equal(status, 3);
  assert.match(stdout, /^PROBLEM folder --out: .*a-file is not a folder\n.*--out DIR/m);
});

test('a reader that goes away early is no failure', async () => {
  const child = spawn(process.execPath, [cli, 'list', 'presets'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  const [code, stderr] = await ended(child);
  assert.deepEqual([code, stderr], [0, '']);
});

/** A program that works until it is told to stop, as a run does. */
const worker = `
  import { createProgress } from '${new URL('../harness/progress.js', import.meta.url)}';
  import { watchInterrupts } from '${new URL('../harness/cli/job.js', import.meta.url)}';
  import { reportFailure } from '${new URL('../harness/cli/failure.js', import.meta.url)}';
  const progress = createProgress({ signal: watchInterrupts() });
  const stubborn = process.argv.includes('stubborn');
  process.stderr.write('ready');
  try {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (!stubborn) progress.checkInterrupted();
    }
  } catch (error) {
    process.exit(reportFailure(error));
  }`;

function startWorker(...argv: string[]): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', worker, '--', ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

async function ended(child: ChildProcess, seen = ''): Promise<[number | null, string]> {
  let stderr = seen;
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return [code, stderr];
}

async function said(child: ChildProcess, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let heard = '';
    child.stderr!.on('data', (data: Buffer) => {
      heard += data.toString();
      if (heard.includes(text)) resolve();
    });
    child.once('exit', () => reject(new Error(`ended before it said '${text}': ${heard}`)));
  });
}

test('Ctrl-C stops at the next step with 130, even where npx passes it on a second time', async () => {
  const child = startWorker();
  await said(child, 'ready');
  child.kill('SIGINT');
  child.kill('SIGINT');
  const [code, stderr] = await ended(child);
  assert.equal(code, 130);
  assert.match(stderr, /once more stops at once/);
  assert.match(stderr, /error INTERRUPTED: .*\nhint: The same command goes on from there\.\n$/);
});

test('a second Ctrl-C stops at once', async () => {
  const child = startWorker('stubborn');
  await said(child, 'ready');
  const again = setInterval(() => child.kill('SIGTERM'), 100);
  const [code] = await ended(child);
  clearInterval(again);
  assert.equal(code, 130);
});
