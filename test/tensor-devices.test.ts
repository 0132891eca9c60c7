/** Which device computes: what is asked for and is not there is refused, with the reason, and `auto` never takes software for a GPU. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { openEngine } from '../harness/tensor/engines.js';
import { deviceTrial, largestArray } from '../harness/tensor/onnx/device-trial.js';
import { chooseDevice } from '../harness/tensor/onnx/devices.js';
import { leaveSoftwareOut, mayHaveGpu } from '../harness/tensor/onnx/gpu-search.js';
import { assertEndsAlone } from './orphans.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-devices-'));
});
after(() => rm(folder, { recursive: true }));
const environment = { ...process.env };
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
});

const refusal = (code: string, message: RegExp, hint: RegExp) => (error: BenchError) => {
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  assert.match(error.hint!, hint);
  return true;
};

test('an engine is not given a device that it does not have', async () => {
  for (const [engine, device] of [
    ['tensorflow', 'webgpu'],
    ['tfjs-cpu', 'webgpu'],
    ['tfjs-cpu', 'cuda'],
  ] as const)
    await assert.rejects(
      openEngine(engine, { device }),
      refusal('CONFIG_INVALID', new RegExp(`'${engine}' does not compute on ${device}`), /--engine onnx/),
    );
  const { device } = await openEngine('tfjs-cpu', { device: 'auto' });
  assert.equal(device, 'cpu');
});

test('cuda without its files is refused with the command that fetches them', async () => {
  await assert.rejects(
    openEngine('onnx', { device: 'cuda' }),
    refusal('UNAVAILABLE', /CUDA files are not installed/, /ONNXRUNTIME_NODE_INSTALL_CUDA=v12 npm rebuild/),
  );
});

test('software is no GPU that auto would take, nor is Windows asked', async () => {
  const driver = path.join(folder, 'vk_swiftshader_icd.json');
  await writeFile(driver, '{}');
  process.env.VK_ICD_FILENAMES = driver;
  assert.equal(mayHaveGpu('linux'), false);
  assert.equal(mayHaveGpu('win32'), false);
  if (process.platform === 'linux') assert.equal(await chooseDevice(), 'cpu');
  leaveSoftwareOut();
  leaveSoftwareOut();
  assert.equal(process.env.VK_LOADER_DRIVERS_DISABLE, '*swiftshader*,*lvp*,*mock*');
});

test('a driver that ends its process is an error of the device, with how it ended', async () => {
  // In place of such a driver: something that ends every process of the trial as it starts.
  const broken = path.join(folder, 'broken.cjs');
  await writeFile(
    broken,
    "if (/(device|array)-trial-process/.test(process.argv[1])) process.kill(process.pid, 'SIGSEGV');",
  );
  process.env.NODE_OPTIONS = `--require=${broken}`;
  await assert.rejects(
    openEngine('onnx', { device: 'webgpu' }),
    refusal(
      'UNAVAILABLE',
      /webgpu does not work here: it ends the process that tries it \(SIGSEGV/,
      /docs\/gpu\.md/,
    ),
  );
  assert.equal(await largestArray('webgpu'), 128 * 2 ** 20);
  // Known from then on in this process.
  delete process.env.NODE_OPTIONS;
  assert.equal((await deviceTrial('webgpu')).works, false);
  assert.equal(deviceTrial('webgpu'), deviceTrial('webgpu', 'float32'));
  assert.notEqual(deviceTrial('webgpu', 'f16'), deviceTrial('webgpu'));
});

test('the processes that try a device end with whoever started them', async () => {
  await assertEndsAlone('tensor/onnx/device-trial-process', 'webgpu', 'float32');
  await assertEndsAlone('tensor/onnx/array-trial-process', 'webgpu');
});
