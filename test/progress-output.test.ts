import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { createProgress, duration, finishLine } from '../harness/progress.js';

/** A progress whose clock the test turns and whose output it keeps. */
function observed(isTTY: boolean) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const output = { isTTY, columns: 80, write: (text: string) => written.push(text) };
  return { written, clock, progress: createProgress({ output, now: () => clock.ms }) };
}

test('where nobody watches: a line when a stage begins and ends, one every half minute between', () => {
  const { written, clock, progress } = observed(false);
  const stage = progress.stage('train', 1000, 'steps');
  for (let step = 1; step <= 700; step++) {
    clock.ms += 100;
    stage.update(step, 'loss 1.25');
  }
  stage.end('loss 1.20');
  assert.deepEqual(written, [
    'train: 1,000 steps\n',
    'train: 300 of 1,000 steps (30%), 10/s, 1 min 10 s left, loss 1.25\n',
    'train: 600 of 1,000 steps (60%), 10/s, 40.0 s left, loss 1.25\n',
    'train: 700 steps in 1 min 10 s, loss 1.20\n',
  ]);
});

test('on a terminal: one line, rewritten ten times a second at most, never wider than the terminal', () => {
  const { written, clock, progress } = observed(true);
  const stage = progress.stage('encode', 1e6, 'passages');
  for (let done = 0; done < 1000; done++) {
    clock.ms += 1;
    stage.update(done, 'x'.repeat(200));
  }
  assert.equal(written.length, 10);
  for (const text of written) {
    assert.ok(text.startsWith('\r\u001B[2K') && !text.includes('\n'));
    assert.ok(text.length - '\r\u001B[2K'.length < 80);
  }
  stage.end();
  assert.equal(written.at(-1), '\r\u001B[2Kencode: 999 passages in 1.0 s\n');
});

test('the rate leaves out what an earlier process had done', () => {
  const { written, clock, progress } = observed(false);
  const stage = progress.stage('fetch', 2 ** 30, 'bytes');
  stage.update(2 ** 29);
  clock.ms += 60_000;
  stage.update(2 ** 29 + 60 * 2 ** 20);
  assert.equal(written.at(-1), 'fetch: 572.0 MiB of 1.0 GiB (55%), 1.0 MiB/s, 7 min 32 s left\n');
});

test('a rate is never shown as nothing: slow steps are told by the minute, slower ones by what one takes', () => {
  for (const [stepMs, told] of [
    [900, '1.1/s'],
    [1000, '1/s'],
    [1100, '55/min'],
    [40_000, '1.5/min'],
    [60_000, '1/min'],
    [61_000, '1 min 01 s each'],
    [3_600_000, '1 h 00 min each'],
  ] as const) {
    const { written, clock, progress } = observed(false);
    const stage = progress.stage('train', 1e6, 'steps');
    stage.update(0);
    for (let step = 1; clock.ms < 30_000; step++) {
      clock.ms += stepMs;
      stage.update(step);
    }
    assert.match(written.at(-1)!, new RegExp(`, ${told}, `));
  }
});

test('a stage that begins ends the one before it; what ended stays ended', () => {
  const { written, progress } = observed(false);
  const early = progress.stage('index');
  progress.stage('search').end();
  early.update(5);
  early.end();
  assert.deepEqual(written, ['index\n', 'index: 0.0 s\n', 'search\n', 'search: 0.0 s\n']);
});

test('stages of a cell carry its name, and what everything will still take', () => {
  const { written, clock, progress } = observed(false);
  progress.within('mlr-sc, seed 2, 3 of 9', () => 'about 2 h 10 min');
  const stage = progress.stage('train', 1000, 'steps');
  stage.update(1);
  clock.ms += 30_000;
  stage.update(301);
  stage.end();
  progress.within();
  progress.stage('latency').end();
  assert.deepEqual(written, [
    'mlr-sc, seed 2, 3 of 9: train: 1,000 steps\n',
    'mlr-sc, seed 2, 3 of 9: train: 301 of 1,000 steps (30%), 10/s, 1 min 10 s left, about 2 h 10 min left in all\n',
    'mlr-sc, seed 2, 3 of 9: train: 301 steps in 30.0 s\n',
    'latency\n',
    'latency: 0.0 s\n',
  ]);
});

test('a line that is rewritten is ended before an error is written, and only then', () => {
  const { written, clock, progress } = observed(true);
  const stage = progress.stage('train', 10, 'steps');
  clock.ms += 1000;
  stage.update(5);
  assert.equal(finishLine(), true);
  assert.equal(written.at(-1), '\n');
  assert.equal(finishLine(), false);
  stage.update(6);
  stage.end();
  assert.equal(finishLine(), false);
});

test('a remark is said once, a note as often as it is made', () => {
  const { written, progress } = observed(false);
  for (let i = 0; i < 2; i++) {
    progress.remark('searched with exact');
    progress.note('lambda 0.1');
  }
  assert.deepEqual(written, ['searched with exact\n', 'lambda 0.1\n', 'lambda 0.1\n']);
});

test('after the signal, the next check throws', () => {
  const controller = new AbortController();
  const { checkInterrupted } = createProgress({ signal: controller.signal, output: { write: () => true } });
  checkInterrupted();
  controller.abort();
  assert.throws(checkInterrupted, (error) => error instanceof BenchError && error.exitCode === 130);
});

test('durations', () => {
  assert.deepEqual([0, 59_940, 60_000, 185_400, 7_860_000].map(duration), [
    ...['0.0 s', '59.9 s', '1 min 00 s', '3 min 05 s', '2 h 11 min'],
  ]);
});
