/** What is a GPU and what computes on the processor under that name, told by the files of drivers alone. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import {
  describeGpu,
  hasVulkanLoader,
  leaveSoftwareOut,
  mayHaveGpu,
} from '../harness/tensor/onnx/gpu-search.js';
import { writtenFiles } from './written-files.js';

const { folder } = writtenFiles('strata-gpu-search-');
const names = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_LOADER_DRIVERS_DISABLE', 'LD_LIBRARY_PATH'];
const before = names.map((name) => process.env[name]);
afterEach(() => {
  for (const [i, name] of names.entries())
    if (before[i] === undefined) delete process.env[name];
    else process.env[name] = before[i];
});

function driver(name: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, '{}');
  return file;
}

test('drivers that compute on the processor are called so where there are no others', (context) => {
  if (process.platform === 'darwin') return context.skip('macOS has no such drivers');
  const soft = ['lvp_icd.x86_64.json', 'vk_swiftshader_icd.json', 'LLVMpipe.json', 'VkICD_mock_icd.json'].map(
    driver,
  );
  delete process.env.VK_DRIVER_FILES;
  for (const name of ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES']) {
    process.env[name] = soft.join(':');
    assert.equal(describeGpu(), `software: ${soft.map((file) => path.basename(file)).join(', ')}`, name);
  }
  // One that is named and not there is none.
  process.env.VK_DRIVER_FILES = [soft[0], path.join(folder, 'radeon_icd.json')].join(':');
  assert.equal(describeGpu(), 'software: lvp_icd.x86_64.json');
  process.env.VK_DRIVER_FILES = [soft[0], driver('intel_icd.json')].join(':');
  assert.doesNotMatch(describeGpu() ?? '', /^software/);
  process.env.VK_DRIVER_FILES = driver('intel_icd.json');
  assert.doesNotMatch(describeGpu() ?? '', /^software/);
});

test('without a driver of a GPU none is looked for on Linux, on macOS always, and elsewhere never', () => {
  process.env.VK_DRIVER_FILES = driver('lvp_icd.json');
  assert.deepEqual(
    (['linux', 'darwin', 'win32', 'freebsd'] as const).map((platform) => mayHaveGpu(platform)),
    [false, true, false, false],
  );
});

const linux = process.platform === 'linux' ? false : 'these are files of Linux';

test('a GPU may be there where a file of one, the loader and a driver of hardware are', {
  skip: linux,
}, () => {
  process.env.VK_DRIVER_FILES = [driver('lvp_icd.json'), driver('intel_icd.json')].join(':');
  const libraries = path.join(folder, 'loader');
  mkdirSync(libraries);
  writeFileSync(path.join(libraries, 'libvulkan.so.1'), '');
  process.env.LD_LIBRARY_PATH = libraries;
  for (const [file, expected] of [
    ['dev/dri/card0', false],
    ['dev/dri/renderD128', true],
    ['dev/nvidiactl', true],
    ['dev/dxg', true],
  ] as const) {
    const root = path.join(folder, 'machines', path.basename(file));
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), '');
    assert.equal(mayHaveGpu('linux', root), expected, file);
    process.env.VK_DRIVER_FILES = driver('lvp_icd.json');
    assert.equal(mayHaveGpu('linux', root), false, file);
    process.env.VK_DRIVER_FILES = driver('intel_icd.json');
  }
  assert.equal(mayHaveGpu('linux', path.join(folder, 'none')), false);
});

test('a GPU is described by what its driver says, and by its numbers where that says nothing', {
  skip: linux,
}, () => {
  process.env.VK_DRIVER_FILES = driver('intel_icd.json');
  const root = path.join(folder, 'described');
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  assert.equal(describeGpu('webgpu', root), undefined);
  write('sys/class/drm/card0/device/vendor', '0x1');
  assert.equal(describeGpu('webgpu', root), undefined);
  for (const [name, vendor] of [
    ['renderD128', '0x8086'],
    ['renderD129', '0x1002'],
  ] as const) {
    write(`sys/class/drm/${name}/device/vendor`, `${vendor}\n`);
    write(`sys/class/drm/${name}/device/device`, '0x9a49\n');
    if (name === 'renderD128') assert.equal(describeGpu('webgpu', root), 'vendor 0x8086, device 0x9a49');
  }
  assert.equal(describeGpu('webgpu', root), 'vendor 0x8086, device 0x9a49; vendor 0x1002, device 0x9a49');
  assert.equal(describeGpu('cuda', root), undefined);
  write('proc/driver/nvidia/gpus/0000:01:00.0/information', 'Model: \t NVIDIA H100\nIRQ: 3\n');
  assert.equal(describeGpu('webgpu', root), 'NVIDIA H100');
  write('proc/driver/nvidia/gpus/0000:02:00.0/information', 'Model: NVIDIA A10\n');
  write('proc/driver/nvidia/gpus/0000:03:00.0/information', 'nothing\n');
  write('proc/driver/nvidia/version', 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun\n');
  assert.equal(describeGpu('webgpu', root), 'NVIDIA H100, NVIDIA A10, driver 535.183.01');
  const open =
    'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  (nixbld@)\n';
  write('proc/driver/nvidia/version', open);
  assert.equal(describeGpu('webgpu', root), 'NVIDIA H100, NVIDIA A10, driver 580.159.04');
  process.env.VK_DRIVER_FILES = driver('lvp_icd.x86_64.json');
  assert.equal(describeGpu('webgpu', root), 'software: lvp_icd.x86_64.json');
  assert.equal(describeGpu('cuda', root), 'NVIDIA H100, NVIDIA A10, driver 580.159.04');
});

test("Vulkan's loader is sought where libraries are, the user's own folders first", () => {
  const libraries = path.join(folder, 'libraries');
  mkdirSync(libraries);
  const without = hasVulkanLoader();
  writeFileSync(path.join(libraries, 'libvulkan.so.1'), '');
  process.env.LD_LIBRARY_PATH = ['', path.join(folder, 'absent'), libraries].join(':');
  assert.equal(hasVulkanLoader(), true);
  process.env.LD_LIBRARY_PATH = path.join(folder, 'absent');
  assert.equal(hasVulkanLoader(), without);
});

test('drivers that compute on the processor are left out once, beside what a user leaves out', () => {
  const globs = '*swiftshader*,*lvp*,*mock*';
  delete process.env.VK_LOADER_DRIVERS_DISABLE;
  for (const _ of [1, 2]) {
    leaveSoftwareOut();
    assert.equal(process.env.VK_LOADER_DRIVERS_DISABLE, globs);
  }
  process.env.VK_LOADER_DRIVERS_DISABLE = '*nouveau*';
  for (const _ of [1, 2]) {
    leaveSoftwareOut();
    assert.equal(process.env.VK_LOADER_DRIVERS_DISABLE, `*nouveau*,${globs}`);
  }
});
