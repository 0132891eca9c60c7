/**
 * WebGPU for tests on machines without a GPU: the software driver that comes with Debian's chromium, through libvulkan1.
 * STRATA_NEEDS_WEBGPU=1 makes a test fail where it would be skipped.
 */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { EngineName } from '../harness/tensor/engine.js';
import type { EngineOptions } from '../harness/tensor/engines.js';
import { deviceTrial } from '../harness/tensor/onnx/device-trial.js';

const software = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Why WebGPU cannot be used here; false where it can. */
export async function withoutWebGpu(): Promise<string | false> {
  if (process.env.VK_ICD_FILENAMES === undefined && process.env.VK_DRIVER_FILES === undefined) {
    // A machine's own GPU rounds otherwise than another's: tests are held to the one driver that is the same everywhere.
    if (existsSync(software)) process.env.VK_ICD_FILENAMES = software;
  }
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  const found = await deviceTrial('webgpu');
  if (found.works) return false;
  if (process.env.STRATA_NEEDS_WEBGPU === '1') throw new Error(`WebGPU is needed here: ${found.why}`);
  return `${found.why} (apt-get install chromium libvulkan1)`;
}

export interface TestedEngine {
  title: string;
  name: EngineName;
  options: EngineOptions;
  /** Why it cannot be opened here. */
  skip: string | false;
}

/** What every model and every loss is computed on; the first is the reference. */
export async function testedEngines(threads?: number): Promise<TestedEngine[]> {
  const options = threads === undefined ? {} : { threads };
  return [
    { title: 'tfjs-cpu', name: 'tfjs-cpu', options, skip: false },
    { title: 'onnx', name: 'onnx', options, skip: false },
    {
      title: 'onnx on webgpu',
      name: 'onnx',
      options: { ...options, device: 'webgpu' },
      skip: await withoutWebGpu(),
    },
  ];
}
