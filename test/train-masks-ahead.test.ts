/** Dropout masks of the next step, drawn while a device computes the present one: the same bits, no more memory, nothing left behind. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import { silentProgress } from '../harness/progress.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { type Batch, epochOrder, makeBatch } from '../harness/train/batches.js';
import { BatchesInTurn } from '../harness/train/batches-in-turn.js';
import { type MaskDraw, packedMasks } from '../harness/train/dropout-masks.js';
import { GradientCache } from '../harness/train/gradient-cache.js';
import { maskFeeds } from '../harness/train/mask-feeds.js';
import { DirectStep, type StepComputer } from '../harness/train/step.js';
import { train } from '../harness/train/trainer.js';
import { openStandIn, withoutKoffi } from './cuda-devices.js';
import { madeExamples, madeRetriever } from './made-training.js';
import { batching } from './step-gradients.js';
import { newFolder, trained } from './train-device-cases.js';

const onDevice = (threads: number) => maskFeeds({ largestArrayBytes: 2 ** 27, threads });

const drawOf = (changes: Partial<MaskDraw> = {}, texts = 2): MaskDraw => ({
  ...{ sites: [{ shape: [texts, 31], rate: 0.1 }], seed: 7, step: 2, side: 'query' },
  places: Int32Array.from({ length: texts }, (_, i) => i),
  ...changes,
});

test('masks that are drawn ahead are those that are drawn without, few of them and many', async () => {
  // A million values of each text are enough for threads.
  for (const size of [31, 1_000_000]) {
    const sites = [
      { shape: [5, size], rate: 0.1 },
      { shape: [5, 77], rate: 0.5 },
    ];
    const places = Int32Array.of(3, 4, 9, 1, 7);
    const draws = [drawOf({ sites, places }), drawOf({ sites, places, side: 'passage' })];
    const feeds = onDevice(4);
    feeds.ofStep([drawOf({ step: 1 })]);
    feeds.ahead(draws);
    const masks = feeds.ofStep(draws);
    assert.equal(feeds.taken, 2);
    for (const [i, give] of masks.entries()) assert.deepEqual(await give(), packedMasks(draws[i]!));
    await feeds.dispose();
  }
});

test('a draw that is another one than was ordered is drawn anew, and what was ordered is dropped', async () => {
  const wide = [{ shape: [2, 40], rate: 0.1 }];
  for (const other of [
    drawOf({ seed: 8 }),
    drawOf({ step: 3 }),
    drawOf({ side: 'passage' }),
    drawOf({ places: Int32Array.of(0, 2) }),
    drawOf({ sites: [{ shape: [2, 31], rate: 0.2 }] }),
    drawOf({ sites: wide }),
    drawOf({ drawnFor: wide }),
    drawOf({}, 3),
  ]) {
    const feeds = onDevice(2);
    feeds.ofStep([]);
    feeds.ahead([drawOf(), drawOf({ side: 'passage' })]);
    const [first, second] = feeds.ofStep([other, drawOf({ side: 'passage' })]);
    assert.deepEqual(await first!(), packedMasks(other));
    assert.deepEqual(await second!(), packedMasks(drawOf({ side: 'passage' })));
    assert.equal(feeds.taken, 1);
    feeds.ofStep([drawOf()]);
    assert.equal(feeds.taken, 1);
  }
});

test('no more is drawn ahead than there is room for beside the present step', async (t) => {
  // A text takes two words, of 4 bytes each; and a sixteenth of the machine is kept: 5 texts.
  t.mock.method(process, 'constrainedMemory', () => 16 * 8 * 5);
  const next = [drawOf({}, 1), drawOf({ side: 'passage' }, 2), drawOf({ seed: 8 }, 1)];
  for (const [present, taken] of [
    [0, 3],
    [1, 3],
    [2, 2],
    [3, 1],
    [4, 1],
    [5, 0],
    // Not kept itself.
    [6, 0],
  ] as const) {
    const feeds = onDevice(1);
    feeds.ofStep(present === 0 ? [] : [drawOf({ step: 1 }, present)]);
    feeds.ahead(next);
    const masks = feeds.ofStep(next);
    assert.equal(feeds.taken, taken, `beside ${present} texts`);
    for (const [i, give] of masks.entries()) assert.deepEqual(await give(), packedMasks(next[i]!));
  }
});

test('what nobody asks for ends with the threads that draw it, and is no error', async () => {
  const feeds = onDevice(2);
  // Cut to its first values, which takes no memory and longer than anybody waits.
  const endless = drawOf({ drawnFor: [{ shape: [2, 2 ** 45], rate: 0.1 }] });
  // The thread has started when it ends.
  await feeds.ofStep([drawOf({ drawnFor: [{ shape: [2, 2 ** 22], rate: 0.1 }] })])[0]!();
  feeds.ahead([endless, { ...endless, side: 'passage' }]);
  await feeds.dispose();
  const [give] = feeds.ofStep([endless]);
  assert.equal(feeds.taken, 0);
  await assert.rejects(give!(), /a thread that draws dropout masks ended with 1/);
});

test('batches come in the order of the epochs, and the next one is made once', () => {
  const request = { examples: madeExamples(17), seed: 3 };
  const batches = new BatchesInTurn(request, batching);
  // 7, 7 and 3 of each epoch.
  for (let step = 1; step < 7; step++) {
    const batch = batches.at(step);
    const [epoch, first] = [Math.floor(step / 3), 7 * (step % 3)];
    const members = [...epochOrder(17, 3, epoch).subarray(first, first + 7)];
    assert.deepEqual(
      batch,
      makeBatch(
        members.map((i) => request.examples[i]!),
        3,
        epoch,
        batching,
      ),
    );
    assert.equal(batches.at(step), batch);
  }
});

test('a batch that is too large ends the training in its turn: the steps before it are made and saved', async () => {
  const engine = await openEngine('onnx', { threads: 1 });
  const examples = madeExamples(24);
  // In the third of three batches.
  const [last] = epochOrder(24, 12345, 0).subarray(16);
  const endless = { length: 2 ** 50 } as Int32Array;
  examples[last!] = { ...examples[last!]!, positive: endless };
  const folder = await newFolder();
  const { retriever, initial } = await madeRetriever('mlr-sc');
  const told: string[] = [];
  const request = {
    ...{ engine, retriever, initial, examples, dev: [], learningRate: 3e-3, seed: 12345, folder },
    options: { ...defaultConfig().train, epochs: 1, batchSize: 8, chunkSize: null, saveEverySteps: 1 },
    ...{ maxQueryTokens: 16, maxPassageTokens: 16, batchTokens: 64 },
    progress: { ...silentProgress(), note: (line: string) => void told.push(line) },
  };
  // The second time it finds what was saved.
  for (let time = 0; time < 2; time++) await assert.rejects(train(request), { code: 'OUT_OF_MEMORY' });
  assert.deepEqual(told, ['training goes on from step 2 of 3']);
  await engine.dispose();
});

interface Call {
  batch: Batch;
  next: Batch | undefined;
  /** When the step ended. */
  taken: number;
}

for (const [how, Computer, chunkSize] of [
  ['whole batches', DirectStep, null],
  ['chunks', GradientCache, 3],
] as const) {
  /** @param keepsNext whether the steps hear of what comes next */
  const training = async (t: TestContext, engine: Engine, keepsNext: boolean) => {
    const calls: Call[] = [];
    const prototype: StepComputer = Computer.prototype;
    const { compute } = prototype;
    const mocked = t.mock.method(
      prototype,
      'compute',
      async function (this: DirectStep | GradientCache, ...given: Parameters<typeof compute>) {
        const [batch, step, lossScale, next] = given;
        const result = await compute.call(this, batch, step, lossScale, keepsNext ? next : undefined);
        calls.push({ batch, next, taken: this.masks.taken });
        return result;
      },
    );
    const found = await trained(engine, 'me-bert', { epochs: 2, chunkSize, longest: 24 });
    mocked.mock.restore();
    const losses = found.steps.map(({ loss, gradientNorm }) => [loss, gradientNorm]);
    return { calls, losses, weights: found.weights };
  };

  test(`in CUDA's place every step of ${how} finds its masks ordered, with the losses and weights of steps that draw them`, {
    skip: withoutKoffi,
  }, async (t) => {
    const engine = await openStandIn();
    const found = await training(t, engine, true);
    assert.equal(found.calls.length, 4);
    for (const [i, { next }] of found.calls.entries()) assert.equal(next, found.calls[i + 1]?.batch);
    const taken = found.calls.map((call) => call.taken);
    // Of 8 queries and 16 passages, by 3.
    const each = chunkSize === null ? 2 : 3 + 6;
    assert.deepEqual(taken, [0, each, 2 * each, 3 * each]);
    const expected = await training(t, engine, false);
    assert.deepEqual(
      expected.calls.map((call) => call.taken),
      [0, 0, 0, 0],
    );
    assert.deepEqual(found.losses, expected.losses);
    assert.deepEqual(found.weights, expected.weights);
    await engine.dispose();
  });
}

test('on the processor nothing is drawn ahead', async (t) => {
  const engine = await openEngine('onnx', { threads: 1 });
  const ahead = t.mock.method(maskFeeds(engine), 'ahead');
  const { steps } = await trained(engine, 'me-bert', { epochs: 1, chunkSize: 3, longest: 24 });
  assert.equal(steps.length, 2);
  assert.equal(ahead.mock.callCount(), 0);
  await engine.dispose();
});
