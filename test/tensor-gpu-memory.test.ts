/** What an NVIDIA GPU has of memory: as nvidia-smi says, and not known wherever that is not certain. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import { deviceLine } from '../harness/pipeline/memory-needs.js';
import { silentProgress } from '../harness/progress.js';
import { openEngine } from '../harness/tensor/engines.js';
import { gpuAndMemory, gpuMemoryMiB } from '../harness/tensor/onnx/gpu-memory.js';
import { largerChunkText } from '../harness/train/larger-chunk.js';
import { train } from '../harness/train/trainer.js';
import { madeExamples, madeRetriever } from './made-training.js';
import { writtenFiles } from './written-files.js';

const { folder } = writtenFiles('strata-gpu-memory-');
const names = ['PATH', 'CUDA_VISIBLE_DEVICES', 'CUDA_DEVICE_ORDER', 'VK_DRIVER_FILES'];
const before = names.map((name) => process.env[name]);
afterEach(() => {
  for (const [i, name] of names.entries())
    if (before[i] === undefined) delete process.env[name];
    else process.env[name] = before[i];
});
const skip = process.platform === 'linux' ? false : 'the program of these tests is a shell script';

let programs = 0;
/** Puts a program on PATH in front of a machine's own, and leaves all GPUs to be seen. */
function nvidiaSmi(script: string | undefined): string {
  const where = path.join(folder, `${programs++}`);
  mkdirSync(where);
  const file = path.join(where, 'nvidia-smi');
  if (script !== undefined) {
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }
  process.env.PATH = script === undefined ? where : `${where}${path.delimiter}${before[0]}`;
  delete process.env.CUDA_VISIBLE_DEVICES;
  delete process.env.CUDA_DEVICE_ORDER;
  return where;
}

test('nvidia-smi tells what a GPU has', { skip }, () => {
  nvidiaSmi("printf '81559, Disabled\\n81559, Disabled\\n'");
  assert.equal(gpuMemoryMiB('cuda'), 81_559);
  assert.equal(gpuMemoryMiB('cpu'), undefined);
  nvidiaSmi("echo '24564, [N/A]'");
  assert.equal(gpuMemoryMiB('cuda'), 24_564);
});

/** Three GPUs that differ. */
const three =
  'case "$*" in *--id=0) echo 1000, Disabled;; *--id=1) echo 2000, Disabled;; *--id=GPU-8f1a-22) echo 3000, Disabled;; *--id*) exit 6;; *) printf "1000, Disabled\\n2000, Disabled\\n3000, [N/A]\\n";; esac';

test('of GPUs that differ it is not known which is the first, unless CUDA counts as nvidia-smi does', {
  skip,
}, () => {
  nvidiaSmi(three);
  for (const [order, visible, expected] of [
    [undefined, undefined, undefined],
    [undefined, '0', undefined],
    [undefined, 'GPU-8f1a-22', 3000],
    ['FASTEST_FIRST', '1', undefined],
    ['PCI_BUS_ID', undefined, 1000],
    ['PCI_BUS_ID', '1', 2000],
  ] as const) {
    for (const [name, value] of [
      ['CUDA_DEVICE_ORDER', order],
      ['CUDA_VISIBLE_DEVICES', visible],
    ] as const)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    assert.equal(gpuMemoryMiB('cuda'), expected, `${order} ${visible}`);
  }
});

test('CUDA_VISIBLE_DEVICES chooses', { skip }, () => {
  nvidiaSmi(three);
  process.env.CUDA_DEVICE_ORDER = 'PCI_BUS_ID';
  for (const [visible, expected] of [
    ['1', 2000],
    ['1,0', 2000],
    [' GPU-8f1a-22 ,0', 3000],
    ['0,1', 1000],
    ['-1', undefined],
    ['', undefined],
    ['MIG-8f1a', undefined],
    ['--help', undefined],
  ] as const) {
    process.env.CUDA_VISIBLE_DEVICES = visible;
    assert.equal(gpuMemoryMiB('cuda'), expected, visible);
  }
});

test('it is not known where there is no such program, nor where that fails, hangs or prints something else', {
  skip,
}, () => {
  for (const script of [
    undefined,
    'echo 81559, Disabled; exit 9',
    'kill -9 $$',
    'echo No devices were found',
    "echo '[N/A], [N/A]'",
    'echo 0, Disabled',
    'echo 81559',
    'echo 81559 MiB, Disabled',
    // A part of it is what there is to use.
    'echo 81559, Enabled',
    "printf '81559, Disabled\\n81559, Enabled\\n'",
    'head -c 3000000 /dev/zero',
    ':',
  ]) {
    nvidiaSmi(script);
    assert.equal(gpuMemoryMiB('cuda'), undefined, script);
  }
  nvidiaSmi('echo 81559, Disabled; exec sleep 100');
  assert.equal(gpuMemoryMiB('cuda', '/', 200), undefined);
  nvidiaSmi('sleep 100');
  assert.equal(gpuMemoryMiB('cuda', '/', 200), undefined);
});

test('it is asked once, however many systems a plan has', { skip }, () => {
  const where = nvidiaSmi('echo >> "$0.asked"; [ $(wc -l < "$0.asked") = 1 ] && echo 5000, Disabled');
  for (const _ of [1, 2]) assert.equal(gpuMemoryMiB('cuda'), 5000, where);
});

test('on WebGPU it is asked where the files of the machine show an NVIDIA GPU and nothing else', {
  skip,
}, () => {
  nvidiaSmi('echo 81559, Disabled');
  const root = path.join(folder, 'machine');
  const driver = (name: string) => {
    const file = path.join(folder, name);
    writeFileSync(file, '{}');
    process.env.VK_DRIVER_FILES = file;
  };
  const gpu = path.join(root, 'proc/driver/nvidia/gpus/0000:01:00.0');
  driver('nvidia_icd.json');
  assert.equal(gpuMemoryMiB('webgpu', root), undefined);
  const card = path.join(root, 'sys/class/drm/renderD128/device');
  mkdirSync(card, { recursive: true });
  writeFileSync(path.join(card, 'vendor'), '0x8086');
  assert.equal(gpuMemoryMiB('webgpu', root), undefined);
  mkdirSync(gpu, { recursive: true });
  writeFileSync(path.join(gpu, 'information'), 'Model: NVIDIA H100\n');
  // WebGPU may take the other one.
  assert.equal(gpuMemoryMiB('webgpu', root), undefined);
  writeFileSync(path.join(card, 'vendor'), '0x10de\n');
  assert.equal(gpuMemoryMiB('webgpu', root), 81_559);
  assert.equal(gpuAndMemory('webgpu', root), 'NVIDIA H100, 81559 MiB as nvidia-smi says');
  assert.equal(
    gpuAndMemory('cuda', path.join(folder, 'none')),
    'which GPU is not known, 81559 MiB as nvidia-smi says',
  );
  nvidiaSmi('exit 1');
  assert.equal(gpuAndMemory('webgpu', root), 'NVIDIA H100');
  nvidiaSmi('echo 81559, Disabled');
  // Vulkan knows nothing of it.
  process.env.CUDA_VISIBLE_DEVICES = '-1';
  assert.equal(gpuMemoryMiB('webgpu', root), 81_559);
  driver('lvp_icd.x86_64.json');
  assert.equal(gpuMemoryMiB('webgpu', root), undefined);
});

test('a dry run says what nvidia-smi says, and what the setting is good for', { skip }, () => {
  nvidiaSmi('echo 81559, Disabled');
  const trained = { weights: 1e8, shape: { layers: 12, dimensions: 768, heads: 12, intermediate: 3072 } };
  const lineOf = (means: object, ...set: string[]) =>
    deviceLine(
      { config: loadConfig({ cwd: tmpdir(), flags: { preset: 'paper' }, set }) },
      { engine: { name: 'onnx', device: 'cuda', threads: 1 }, ...means },
      null,
    )!;
  const has = 'nvidia-smi says 79.6 GiB';
  const give = `${has}: --set deviceMemoryMiB=81559`;
  const ends = (line: string, end: string) => assert.equal(line.slice(-end.length), end);
  ends(lineOf({ trained }), `${give} lets the largest chunk that fits be chosen`);
  ends(lineOf({ trained }, 'train.chunkSize=fitting'), `${give} lets the largest chunk that fits be chosen`);
  // A batch of fewer texts than the preset's chunk has none.
  ends(lineOf({ trained }, 'train.batchSize=2'), `${give} lets the largest chunk that fits be chosen`);
  ends(lineOf({ trained }, 'train.chunkSize=8'), `${give} refuses beforehand what does not fit`);
  ends(lineOf({}), has);
  ends(
    lineOf({ trained }, 'deviceMemoryMiB=90000'),
    'it has 87.9 GiB by deviceMemoryMiB, three quarters of which are used',
  );
  nvidiaSmi(undefined);
  ends(lineOf({}), 'what it has is not known (ONNX Runtime does not tell; deviceMemoryMiB says it)');
});

test('a training on a GPU says once that larger chunks would fit, where nobody chose', { skip }, async () => {
  const cpu = await openEngine('onnx', { threads: 1 });
  const device = { ...cpu, device: 'cuda' as const, largestArrayBytes: 2 ** 27 };
  const { retriever, initial } = await madeRetriever('dual-encoder');
  const { train: usual } = loadConfig({ cwd: tmpdir(), set: [] });
  const folderOf = () => {
    const where = path.join(folder, `training-${programs++}`);
    mkdirSync(where);
    return where;
  };
  const said = async (
    changes: object,
    chunkSize: number | null = 2,
    where = folderOf(),
    stopped?: AbortController,
  ) => {
    const lines: string[] = [];
    const quiet = silentProgress(stopped?.signal);
    const stage = () => ({ update: () => stopped?.abort(), end() {} });
    const progress = { ...quiet, stage, note: (line: string) => lines.push(line) };
    await train({
      ...{ engine: device, retriever, initial, examples: madeExamples(8), dev: [], learningRate: 1e-3 },
      ...{ maxQueryTokens: 16, maxPassageTokens: 16, batchTokens: 64, seed: 1, folder: where, progress },
      options: { ...usual, epochs: 1, batchSize: 4, chunkSize },
      chunkIsUsual: true,
      ...changes,
    }).catch((error) => assert.equal(error.code, 'INTERRUPTED'));
    return lines;
  };
  nvidiaSmi('echo 1024, Disabled');
  assert.deepEqual(await said({}), [
    'training by chunks of 2 texts; nvidia-smi says that the GPU has 1.0 GiB: --set deviceMemoryMiB=1024 would train by whole batches',
  ]);
  for (const silent of [{ chunkIsUsual: false }, { deviceMemoryMiB: 1024 }, { engine: cpu }])
    assert.deepEqual(await said(silent), [], JSON.stringify(silent).slice(0, 40));
  assert.deepEqual(await said({}, null), []);
  // One that goes on keeps its chunk.
  const where = folderOf();
  const controller = new AbortController();
  assert.equal((await said({}, 2, where, controller)).length, 1);
  assert.deepEqual(await said({}, 2, where), ['training goes on from step 1 of 2']);
  await cpu.dispose();
});

test('a chunk is called too small where a larger one fits, and not where less or nothing does', () => {
  const size = {
    ...{ weights: 2e8, shape: { layers: 12, dimensions: 768, heads: 12, intermediate: 3072 } },
    ...{ queries: 128, queryTokens: 256, passages: 256, passageTokens: 256 },
  };
  const larger = (chunk: number | null, memoryMiB?: number) =>
    largerChunkText(size, chunk, memoryMiB)?.replace(/.* would train by /, '');
  assert.match(larger(32, 24_576)!, /^chunks of \d+ texts$/);
  assert.equal(larger(32, 500_000), 'whole batches');
  const fitting = Number(/\d+/.exec(larger(1, 24_576)!)![0]);
  assert.equal(larger(fitting - 1, 24_576), `chunks of ${fitting} texts`);
  for (const [chunk, memory] of [
    [fitting, 24_576],
    [1, 1000],
    [null, 24_576],
    [32, undefined],
  ] as const)
    assert.equal(larger(chunk, memory), undefined, `${chunk} in ${memory}`);
});
