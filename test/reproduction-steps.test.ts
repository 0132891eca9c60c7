/** Steps per epoch, as a grid is planned: beside those of the paper's code, and as the settings or a folder change them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/reproduce.js';
import type { EpochSteps } from '../harness/reproduction/work.js';
import { writeMadeDpr } from './made-dpr.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-steps-'));
});
after(() => rm(root, { recursive: true, force: true }));

async function planned(...argv: string[]): Promise<string> {
  let printed = '';
  const print = (text: string) => {
    printed += text;
  };
  assert.equal(await execute('reproduce', command, ['table3', '--dry-run', ...argv], print), 0);
  return printed;
}

const stepsOf = async (...argv: string[]) => {
  const { steps } = JSON.parse(await planned('--json', ...argv)) as { steps: EpochSteps[] };
  return steps.map(({ dataset, stage, ours, published }) => [
    ...[dataset, stage, ours!.value, ours!.atMost, published.value, published.atMost],
  ]);
};

test('table 3: an epoch has the steps that it has in the code of the paper', async () => {
  const steps = await stepsOf();
  assert.deepEqual(steps, [
    ['dpr/nq', 1, 460, false, 460, false],
    ['dpr/trivia', 1, 472, false, 472, false],
    ['dpr/squad1', 1, 548, false, 548, false],
    ['dpr/nq', 2, 1079, true, 1079, true],
    ['dpr/trivia', 2, 1088, true, 1088, true],
    ['dpr/squad1', 2, 1163, true, 1163, true],
  ]);
  // Its warm-up, which its log gives, is 5 % of 40 epochs.
  for (const [i, warmup] of [920, 944, 1096].entries())
    assert.equal(Math.floor(0.05 * 40 * (steps[i]![4] as number)), warmup);
  const text = await planned();
  assert.match(text, /^dpr\/nq +second +128 +at most 1,079 +at most 1,079$/m);
  assert.match(text, /^note: Steps per epoch of the paper's code are derived/m);
});

test('settings change the steps here and not those of the paper', async () => {
  const merged = await stepsOf('--set', 'stage2.examples=merged', '--set', 'train.batchSize=64');
  assert.deepEqual(merged[3], ['dpr/nq', 2, 920, false, 1079, true]);
  const alone = await stepsOf('--set', 'stage2.negatives=mined');
  assert.deepEqual(alone[3], ['dpr/nq', 2, Math.ceil(79_168 / 128), true, 1079, true]);
});

test('of a folder the questions are counted', async () => {
  const { train } = await writeMadeDpr(root);
  const positive = train.filter(({ positive_ctxs }) => positive_ctxs.length > 0).length;
  const steps = await stepsOf('--data', `dpr/nq=${root}`, '--set', 'train.batchSize=16');
  assert.deepEqual(steps[0], ['dpr/nq', 1, Math.ceil(positive / 16), false, 460, false]);
  assert.deepEqual(steps[3], ['dpr/nq', 2, Math.ceil((positive + train.length) / 16), true, 1079, true]);
});
