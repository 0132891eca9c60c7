/** What training says and saves on its way, and the speed it gives at its end. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import { unfinishedFolder } from '../harness/store/unfinished.js';
import { openEngine } from '../harness/tensor/engines.js';
import type { StepLine } from '../harness/train/step-log.js';
import { train } from '../harness/train/trainer.js';
import { madeExamples, madeRetriever } from './made-training.js';

const engine = await openEngine('onnx');
const { retriever, initial } = await madeRetriever('mlr-sc');
const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
  await engine.dispose();
});

interface Seen {
  told: string[];
  /** By step that was told: the states that lay there, and the lines of the log. */
  saved: Map<number, { files: string[]; lines: number }>;
}

/** Two epochs of five steps; the last batch of each has five of 37 examples. */
async function trained(epochs: number, folder?: string, stopAt?: number, devQueries = 11) {
  const place = folder ?? (await mkdtemp(path.join(tmpdir(), 'strata-progress-')));
  if (folder === undefined) folders.push(place);
  const seen: Seen = { told: [], saved: new Map() };
  const steps = () =>
    readFileSync(path.join(place, 'steps.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  const controller = new AbortController();
  const progress: Progress = {
    ...silentProgress(controller.signal),
    signal: controller.signal,
    note: (line) => seen.told.push(line),
    stage(name, total, unit) {
      seen.told.push(`${name}: ${total} ${unit}`);
      return {
        update(done, note) {
          seen.told.push(`${done}: ${note}`);
          const unfinished = unfinishedFolder(place);
          const files = existsSync(unfinished) ? readdirSync(unfinished).sort() : [];
          seen.saved.set(done, { files, lines: steps().length });
          if (done === stopAt) controller.abort();
        },
        end: () => seen.told.push('end'),
      };
    },
  };
  const options = {
    ...defaultConfig().train,
    ...{ epochs, batchSize: 8, chunkSize: null, saveEverySteps: 2, averageRankFrom: 1 },
  };
  const sizes = { maxQueryTokens: 16, maxPassageTokens: 16, batchTokens: 64 };
  const examples = { examples: madeExamples(37), dev: madeExamples(devQueries, 2) };
  const asked = { engine, retriever, initial, ...examples, options, learningRate: 3e-3, ...sizes };
  const result = await train({ ...asked, seed: 12345, folder: place, progress }).catch((error) => {
    if (stopAt === undefined) throw error;
  });
  return { ...seen, place, facts: result?.facts, log: steps().map((line) => JSON.parse(line) as StepLine) };
}

test('each step with its epoch and loss, each epoch with its score on dev', async () => {
  const { told, facts, log } = await trained(2);
  const [first, second] = facts!.epochs.map(({ dev }) => dev!);
  const step = ({ step: at, epoch, loss }: StepLine) =>
    `${at}: epoch ${epoch + 1}/2, loss ${loss.toFixed(3)}`;
  assert.deepEqual(told, [
    'train: 10 steps',
    ...log.slice(0, 5).map(step),
    `epoch 1: dev cross-entropy ${first!.value.toFixed(4)}`,
    ...log.slice(5).map(step),
    `epoch 2: dev average-rank ${second!.value.toFixed(4)}`,
    'end',
  ]);
  assert.deepEqual(
    log.map(({ epoch }) => epoch),
    [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
  );
});

test('every second step and every epoch is saved whole before the next step, and the one before goes', async () => {
  const { saved } = await trained(2);
  const state = (step: number) => ['state.json', `state-${step}.safetensors`];
  const expected: [step: number, files: string[], lines: number][] = [
    [1, [], 0],
    [2, [], 0],
    [3, state(2), 2],
    [4, state(2), 2],
    [5, state(4), 4],
    [6, ['best-0.safetensors', ...state(5)], 5],
    [7, ['best-0.safetensors', ...state(6)], 6],
    [8, ['best-0.safetensors', ...state(6)], 6],
    [9, ['best-0.safetensors', ...state(8)], 8],
    [10, ['best-0.safetensors', ...state(8)], 8],
  ];
  for (const [step, files, lines] of expected)
    assert.deepEqual(saved.get(step), { files: files.sort(), lines }, `at step ${step}`);
});

test('stopped, the step it is at is saved; started again it says from where it goes on', async () => {
  const { place, log } = await trained(2, undefined, 3);
  assert.equal(log.length, 3);
  assert.ok(existsSync(path.join(unfinishedFolder(place), 'state-3.safetensors')));
  const { told, log: whole } = await trained(2, place);
  assert.deepEqual(told.slice(0, 2), ['training goes on from step 3 of 10', 'train: 10 steps']);
  assert.match(told[2]!, /^4: epoch 1\/2/);
  assert.deepEqual(
    whole.map(({ step }) => step),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
});

test('one dev query is enough to judge epochs by', async () => {
  const { facts } = await trained(1, undefined, undefined, 1);
  assert.equal(facts!.epochs[0]!.dev!.measure, 'cross-entropy');
  assert.equal(facts!.devExamples, 1);
});

test('speed is that of the steps after the first five of the process', async () => {
  const near = (found: number, expected: number, what: string) =>
    assert.ok(Math.abs(found - expected) <= 1e-9 * expected, `${what}: ${found} for ${expected}`);
  const { facts, log } = await trained(2);
  const timed = log.slice(5);
  const sum = (of: (line: StepLine) => number) => timed.reduce((all, line) => all + of(line), 0);
  const wallMs = sum(({ milliseconds }) => milliseconds);
  near(facts!.stepsPerSecond, (1000 * 5) / wallMs, 'steps');
  // A positive and a negative of each of 37 examples.
  near(facts!.passagesPerSecond, (1000 * 74) / wallMs, 'passages');
  const inJavascript = sum(({ milliseconds, javascriptShare }) => milliseconds * javascriptShare);
  near(facts!.javascriptShare, inJavascript / wallMs, 'share of JavaScript');
  assert.ok(facts!.javascriptShare > 0 && facts!.javascriptShare < 1);
  assert.deepEqual(
    [facts!.steps, facts!.examples, facts!.devExamples, facts!.learningRate],
    [10, 37, 11, 3e-3],
  );
  const seconds = log.slice(0, 5).reduce((all, { milliseconds }) => all + milliseconds, 0) / 1000;
  near(facts!.epochs[0]!.seconds, seconds, 'seconds of an epoch');
  for (const { devSeconds } of facts!.epochs) assert.ok(devSeconds! > 0, `${devSeconds} s on dev`);
  const blind = (await trained(1, undefined, undefined, 0)).facts!;
  assert.equal(blind.epochs[0]!.devSeconds, undefined, 'nothing is judged without a dev set');

  const short = (await trained(1)).facts!;
  assert.deepEqual([short.stepsPerSecond, short.passagesPerSecond, short.javascriptShare], [0, 0, 0]);
});
