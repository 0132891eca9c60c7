/** A run whose passages and queries are encoded in int8: one training with that in float32, vectors and a name of its own. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { describeDevice } from '../harness/comparison/devices.js';
import { groupSystems } from '../harness/comparison/systems.js';
import { trainOnly } from '../harness/pipeline/one-stage.js';
import { assertRequirements } from '../harness/pipeline/requirements.js';
import { silentProgress } from '../harness/progress.js';
import { assertRecord } from '../harness/record/validate.js';
import type { RunRecord } from '../harness/record.js';
import { run } from '../harness/sweep.js';
import { loadSystem } from '../harness/systems.js';
import { temporaryFolder } from './made-index.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const cached = ({ stages }: RunRecord) =>
  Object.fromEntries(stages.map(({ name, execution }) => [name, execution.cached]));

test('int8 and f16 make vectors of their own from the same training, in one table beside float32', async (t) => {
  const root = await temporaryFolder(t);
  await writeTinyCollection(path.join(root, 'data'));
  const made: RunRecord[] = [];
  for (const precision of ['float32', 'int8', 'int8', 'f16']) {
    const request = tinyRequest(root, 'mlr-sc', 1, `encode.precision=${precision}`);
    made.push(await run(request, silentProgress()));
  }
  const [exact, rough, again, half] = made as [RunRecord, RunRecord, RunRecord, RunRecord];
  assert.deepEqual(
    made.map(({ device }) => device.precision),
    [undefined, 'int8', 'int8', 'f16'],
  );
  for (const other of [rough, half]) {
    assertRecord(other, 'the record');
    const { train, encode, queries } = cached(other);
    assert.deepEqual([train, encode, queries], [true, false, false]);
  }
  assert.deepEqual([cached(again).encode, cached(again).queries], [true, true]);
  assert.match(describeDevice(rough), /^onnx on cpu in int8, /);
  assert.match(describeDevice(half), /^onnx on cpu in f16, /);
  assert.match(describeDevice(exact), /^onnx on cpu, /);
  const systems = groupSystems(
    [exact, rough, half].map((record, i) => ({ file: `${i}.record.json`, record })),
  );
  assert.deepEqual(
    systems.map(({ name }) => name),
    ['float32', 'int8', 'f16'].map((precision) => `mlr-sc (encode.precision=${precision})`),
  );
});

test('f16 trains a checkpoint of its own, and records, plans and tables say so', async (t) => {
  const root = await temporaryFolder(t);
  await writeTinyCollection(path.join(root, 'data'));
  const asked = (precision: string, ...set: string[]) =>
    tinyRequest(root, 'mlr-sc', 1, 'train.epochs=1', `train.precision=${precision}`, ...set);
  const made: RunRecord[] = [];
  for (const precision of ['float32', 'f16', 'f16']) made.push(await run(asked(precision), silentProgress()));
  for (const record of made) assertRecord(record, 'the record');
  assert.deepEqual(
    made.map(({ training }) => [training!.precision, training!.skippedSteps, training!.lossScale]),
    [[undefined, undefined, undefined], ...[0, 1].map(() => ['f16', 0, 65_536])],
  );
  assert.deepEqual(
    made.map((record) => cached(record).train),
    [false, false, true],
  );
  assert.deepEqual(
    groupSystems(made.slice(0, 2).map((record, i) => ({ file: `${i}.record.json`, record }))).map(
      ({ name }) => name,
    ),
    ['float32', 'f16'].map((precision) => `mlr-sc (train.precision=${precision})`),
  );
  const request = asked('f16');
  const { plan, requirements } = await (await loadSystem(request.architecture)).steps();
  const { stages } = await plan(request, await requirements(request));
  assert.match(stages.join('\n'), /^train +1 epoch in f16, /m);
  for (const other of [asked('f16', 'engine=tfjs-cpu'), asked('int8')]) {
    const refused = { code: 'CONFIG_INVALID', message: /^train.precision=/ };
    await assert.rejects(assertRequirements(other), refused);
    await assert.rejects(trainOnly(other, silentProgress()), refused);
  }
});

test('a plan names the precision where it is not the usual one', async (t) => {
  const root = await temporaryFolder(t);
  const lines = async (precision: string) => {
    const request = tinyRequest(root, 'dual-encoder', 1, `encode.precision=${precision}`);
    const { plan, requirements } = await (await loadSystem(request.architecture)).steps();
    return (await plan(request, await requirements(request))).stages.join('\n');
  };
  assert.match(await lines('int8'), /^encode +every passage in int8, /m);
  assert.match(await lines('float32'), /^encode +every passage, /m);
});

test('a second stage mines in float32 whatever it encodes in', async (t) => {
  const root = await temporaryFolder(t);
  await writeTinyCollection(path.join(root, 'data'));
  const trained: (boolean | undefined)[] = [];
  for (const precision of ['float32', 'int8']) {
    const request = tinyRequest(root, 'dual-encoder', 1, 'stages=2', `encode.precision=${precision}`);
    trained.push(cached(await run(request, silentProgress())).train);
  }
  assert.deepEqual(trained, [false, true]);
});

test('an engine that has no integers is refused before anything runs, and trains all the same', async (t) => {
  const root = await temporaryFolder(t);
  await writeTinyCollection(path.join(root, 'data'));
  const request = tinyRequest(root, 'dual-encoder', 1, 'encode.precision=int8', 'engine=tfjs-cpu');
  await assert.rejects(assertRequirements(request), {
    code: 'CONFIG_INVALID',
    message: /encode.precision=int8 is for the engine 'onnx' on the CPU/,
  });
  await trainOnly(request, silentProgress());
});
