/** The process in which `npm run mutate` runs a test: what ends it is the test's own processor time, and no clock. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from './places.js';
import { writtenFiles } from './written-files.js';

const { folder, fileOf } = writtenFiles('strata-mutate-slot-');
const script = (name: string) => path.join(root, 'scripts', 'mutate', name);
const withoutProc = existsSync('/proc/self/stat') ? false : 'this system has no /proc';

let slot: ChildProcess;
before(() => {
  slot = fork(script('slot.mjs'));
});
after(() => slot.disconnect());

/** @param body of a test file */
async function run(body: string, limitMs: number) {
  const file = fileOf(`const { test } = require('node:test');\n${body}`);
  slot.send({ file, cwd: folder, env: process.env, limitMs, waitMs: 0 });
  const [answer] = (await once(slot, 'message')) as [
    { outcome: string; skipped: number; ms: number; cpuMs: number },
  ];
  return answer;
}

const spinning = 'for (const end = performance.now() + 1e6; performance.now() < end; );';

test('a test that takes more of the processor than it may is ended, whoever of its processes takes it', {
  skip: withoutProc,
}, async () => {
  const child = `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(spinning)}]);`;
  for (const body of [spinning, child]) {
    const { outcome } = await run(`test('a', () => { ${body} });`, 1500);
    assert.equal(outcome, 'hung', body);
  }
});

test('time that passes while a test takes none is not counted', { skip: withoutProc }, async () => {
  const { outcome, ms, cpuMs } = await run(
    "test('a', () => new Promise((resolve) => setTimeout(resolve, 4000)));",
    3500,
  );
  assert.equal(outcome, 'passed');
  assert.ok(ms >= 4000 && cpuMs < 3500, `${ms} ms, ${cpuMs} of the processor`);
});

test('it ends at the first test that fails; one that is to do or is skipped is none', async () => {
  const failing = "test('a', () => { throw new Error('a'); });";
  assert.equal(
    (await run(`${failing} test('b', () => new Promise((resolve) => setTimeout(resolve, 3e6)));`, 60_000))
      .outcome,
    'failed',
  );
  assert.equal((await run("process.exitCode = 3; test('a', () => 0);", 60_000)).outcome, 'failed');
  const other =
    "test('a', { todo: true }, () => { throw new Error('a'); }); test('b', { skip: true }, () => 0);";
  const { outcome, skipped } = await run(other, 60_000);
  assert.deepEqual([outcome, skipped], ['passed', 1]);
});

test('of what V8 says of several processes, a place ran where the innermost range of one says so', async () => {
  const module = (await import(pathToFileURL(script('coverage.mjs')).href)) as {
    readCoverage(folder: string, dist: string): { loaded: string[]; ran: Record<string, [number, number][]> };
    hasRun(spans: [number, number][], start: number): boolean;
  };
  const [dist, written] = [path.join(folder, 'dist'), path.join(folder, 'written')];
  for (const each of [dist, written]) mkdirSync(each);
  const range = (startOffset: number, endOffset: number, count: number) => ({
    startOffset,
    endOffset,
    count,
  });
  const write = (name: string, ...functions: object[][]) =>
    writeFileSync(
      path.join(written, name),
      JSON.stringify({
        result: [
          ['harness/a.js', functions],
          ['test/a.test.js', [[range(0, 10, 1)]]],
        ].map(([file, each]) => ({
          url: pathToFileURL(path.join(dist, file as string)).href,
          functions: (each as object[][]).map((ranges) => ({ ranges })),
        })),
      }),
    );
  write(
    '1.json',
    [range(0, 100, 1)],
    [range(10, 40, 2), range(20, 30, 0), range(24, 26, 1)],
    [range(50, 60, 0)],
  );
  write('2.json', [range(0, 100, 0)], [range(52, 54, 1)]);
  const { loaded, ran } = module.readCoverage(written, dist);
  assert.deepEqual(loaded, ['harness/a.js', 'test/a.test.js']);
  const spans: [number, number][] = [
    [0, 20],
    [24, 26],
    [30, 50],
    [52, 54],
    [60, 100],
  ];
  assert.deepEqual(ran, { 'harness/a.js': spans });
  for (const [at, expected] of [
    [0, true],
    [19, true],
    [20, false],
    [25, true],
    [26, false],
    [53, true],
    [100, false],
  ] as const)
    assert.equal(module.hasRun(spans, at), expected, `${at}`);
});
