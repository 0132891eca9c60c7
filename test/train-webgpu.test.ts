/** Training on WebGPU, and what comes of a training whose device is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InferenceSession } from 'onnxruntime-node';
import { type BenchError, exitCodes } from '../harness/errors.js';
import { silentProgress } from '../harness/progress.js';
import { openEngine } from '../harness/tensor/engines.js';
import { newFolder, trained, trainingCases } from './train-device-cases.js';
import { withoutWebGpu } from './webgpu-driver.js';

const skip = await withoutWebGpu();
const open = () => openEngine('onnx', { threads: 1, device: 'webgpu' });

trainingCases('WebGPU', skip, open);

/**
 * Makes sessions that are opened from now on fail from one run on, where ONNX Runtime would tell of a lost device.
 * @param isFatal told by each run how many matrices of integers it is fed: token ids, and dropout masks
 * @returns what undoes it
 */
function breakSessions(isFatal: (arrays: number) => boolean): () => void {
  const { create } = InferenceSession;
  let isBroken = false;
  InferenceSession.create = (async (...given: Parameters<typeof create>) => {
    const session = await create(...given);
    const run = session.run as (fed: InferenceSession.FeedsType) => Promise<InferenceSession.ReturnType>;
    session.run = (async (feeds: InferenceSession.FeedsType) => {
      const arrays = Object.values(feeds).filter(({ type, dims }) => type === 'int32' && dims.length === 2);
      isBroken ||= isFatal(arrays.length);
      if (isBroken) throw new Error('WebGPU device lost (2): the driver was reset');
      return run.call(session, feeds);
    }) as typeof session.run;
    const release = session.release.bind(session);
    session.release = async () => {
      // What is never released may end the process as it exits.
      await release();
      throw new Error('a session of a lost device was released');
    };
    return session;
  }) as typeof create;
  return () => {
    InferenceSession.create = create;
  };
}

test('a device that is lost ends a training with what to do, and the same command goes on from the state that was saved', {
  skip,
}, async () => {
  const whole = await open();
  const { weights } = await trained(whole, 'dual-encoder', { epochs: 2 });
  await whole.dispose();
  const folder = await newFolder();
  // The third run of the program that is fed texts, of the second epoch's first step: the first epoch's state is saved by then.
  let times = 0;
  const undo = breakSessions((arrays) => arrays > 1 && ++times === 3);
  const lost = await open();
  try {
    await assert.rejects(trained(lost, 'dual-encoder', { epochs: 2, folder }), (error: BenchError) => {
      assert.equal(error.code, 'UNAVAILABLE', error.stack);
      assert.equal(exitCodes[error.code], 3);
      assert.match(error.message, /webgpu was lost in 'training step': .*the driver was reset/);
      assert.match(error.hint!, /same command again/);
      return true;
    });
  } finally {
    undo();
  }
  const notes: string[] = [];
  const progress = { ...silentProgress(), note: (text: string) => void notes.push(text) };
  const engine = await open();
  const resumed = await trained(engine, 'dual-encoder', { epochs: 2, folder, progress });
  assert.match(notes.join('\n'), /goes on from step 2 of 4/);
  assert.deepEqual(resumed.weights, weights);
  await engine.dispose();
});
