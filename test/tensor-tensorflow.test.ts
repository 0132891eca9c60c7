/** The engine on TensorFlow's library, where a stand-in for its package computes with tfjs's own kernels: in processes of their own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { writtenFiles } from './written-files.js';

const require = createRequire(import.meta.url);
const isInstalled = ['tfjs-node-gpu', 'tfjs-node'].some((name) => {
  try {
    return require.resolve(`@tensorflow/${name}/package.json`);
  } catch {
    return false;
  }
});
const isNewNode = Number(process.versions.node.split('.')[0]) >= 23;
const skip =
  (isInstalled && 'the package itself stands before a stand-in') ||
  (isNewNode && 'the package calls what this Node no longer has');

const { folder, fileOf } = writtenFiles('strata-tensorflow-');
const engines = new URL('../harness/tensor/engines.js', import.meta.url).href;
const operations = new URL('../harness/tensor/operations.js', import.meta.url).href;
const [core, cpu] = ['core', 'backend-cpu'].map((name) => import.meta.resolve(`@tensorflow/tfjs-${name}`));

/** The package: it brings gradients of its own, as the real one does. */
const computing = (isUsingGpuDevice: boolean) => `
  import * as tf from ${JSON.stringify(core)};
  import { MathBackendCPU } from ${JSON.stringify(cpu)};
  tf.copyRegisteredKernels('cpu', 'tensorflow');
  tf.registerBackend('tensorflow', () => new MathBackendCPU());
  tf.registerGradient({ kernelName: 'SquaredDifference', inputsToSave: [], gradFunc: () => { throw new Error('not ours'); } });
  export default {
    version: { 'tfjs-node': '4.5.6' },
    setBackend: (name) => tf.setBackend(name),
    backend: () => ({ isUsingGpuDevice: ${isUsingGpuDevice}, binding: { TF_Version: '2.9.9' } }),
  };
`;

/** What a process in which that package is installed says of a list of requests. */
async function said(name: string, content: string, body: string): Promise<unknown[]> {
  const place = path.join(folder, `${name}-${content.length}`, 'node_modules', ...name.split('/'));
  mkdirSync(place, { recursive: true });
  writeFileSync(path.join(place, 'package.json'), '{}');
  const module = path.join(place, 'index.mjs');
  writeFileSync(module, content);
  const hook = `export const resolve = (name, context, next) => name === ${JSON.stringify(name)}
    ? { url: ${JSON.stringify(pathToFileURL(module).href)}, shortCircuit: true } : next(name, context);`;
  const script = fileOf(
    `import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}));
    const { openEngine, describeEngines } = await import(${JSON.stringify(engines)});
    const tf = await import(${JSON.stringify(operations)});
    const said = [];
    const facts = ({ name, device, threads, versions }) => ({ name, device, threads, versions });
    const opened = (...asked) => openEngine(...asked).then(facts, ({ code, message, hint }) => ({ code, message, hint }))
      .then((found) => said.push(found));
    ${body}
    console.log(JSON.stringify(said));
    process.exit(0);`,
    '.mjs',
  );
  const NODE_PATH = path.join(place, '..', '..');
  const environment: NodeJS.ProcessEnv = { ...process.env, NODE_PATH };
  delete environment.TF_NUM_INTRAOP_THREADS;
  const { stdout } = await promisify(execFile)(process.execPath, [script], { env: environment });
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

const versions = (name: string) => ({ [name]: '4.5.6', libtensorflow: '2.9.9' });

test('auto takes it where it has a GPU, unless another device is asked for; what it computes is right', {
  skip,
}, async () => {
  const name = '@tensorflow/tfjs-node-gpu';
  const engine = { name: 'tensorflow', device: 'cuda', threads: 3, versions: versions(name) };
  const [auto, named, onCuda, onCpu, elsewhere, sum, described] = await said(
    name,
    computing(true),
    `await opened('auto', { threads: 3 });
    await opened('tensorflow', { threads: 3 });
    await opened('auto', { device: 'cuda' });
    await opened('tensorflow', { device: 'cpu' });
    await opened('auto', { device: 'cpu', threads: 1 });
    const engine = await openEngine('tensorflow', {});
    const spec = (...shape) => ({ shape, dtype: 'float32' });
    const program = await engine.compile(
      ([a, b]) => tf.grads((x, y) => tf.sum(tf.squaredDifference(x, y)))([a, b]), [spec(2, 2), spec(2)]);
    const found = await program.run([Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 0)]);
    said.push(found.map((values) => [...values]));
    said.push((await describeEngines()).filter(({ name }) => name === 'tensorflow'));`,
  );
  for (const found of [auto, named, onCuda]) assert.deepEqual(found, engine);
  assert.deepEqual(onCpu, {
    code: 'UNAVAILABLE',
    message: "The engine 'tensorflow' computes on cuda here, and --device cpu was asked for.",
    hint: 'CUDA_VISIBLE_DEVICES=-1 hides the GPU from it; --engine onnx is faster on a processor.',
  });
  assert.equal((elsewhere as typeof engine).name, 'onnx');
  // Its own gradient would fail where an operand is repeated.
  assert.deepEqual(sum, [
    [0, 4, 4, 8],
    [-4, -12],
  ]);
  const detail = `cuda, 3 threads, ${name} 4.5.6, libtensorflow 2.9.9`;
  assert.deepEqual(described, [{ name: 'tensorflow', available: true, detail }]);
});

test('without a GPU auto leaves it, and it is opened by name, on the processor', { skip }, async () => {
  const name = '@tensorflow/tfjs-node';
  const [auto, named, onCpu, onCuda] = await said(
    name,
    computing(false),
    `await opened('auto', { threads: 2 });
    await opened('tensorflow', { threads: 2 });
    await opened('tensorflow', { threads: 2, device: 'cpu' });
    await opened('tensorflow', { device: 'cuda' });`,
  );
  assert.equal((auto as { name: string }).name, 'onnx');
  const engine = { name: 'tensorflow', device: 'cpu', threads: 2, versions: versions(name) };
  assert.deepEqual([named, onCpu], [engine, engine]);
  assert.deepEqual(onCuda, {
    code: 'UNAVAILABLE',
    message: "The engine 'tensorflow' computes on cpu here, and --device cuda was asked for.",
    hint: 'bench doctor says what it found; docs/gpu.md, what it needs.',
  });
});

test('where it does not load, auto goes on without it, and its name says why', { skip }, async () => {
  const name = '@tensorflow/tfjs-node-gpu';
  const [auto, named, described] = await said(
    name,
    "throw new Error('libcudart is missing\\nand more');",
    `await opened('auto', { threads: 2 });
    await opened('tensorflow', { threads: 2 });
    said.push((await describeEngines()).filter(({ name }) => name === 'tensorflow'));`,
  );
  assert.equal((auto as { name: string }).name, 'onnx');
  const message = `${name} is installed but does not load: libcudart is missing`;
  const hint = `npm rebuild ${name} --build-addon-from-source, or use --engine onnx.`;
  assert.deepEqual(named, { code: 'UNAVAILABLE', message, hint });
  assert.deepEqual(described, [{ name: 'tensorflow', available: false, detail: message, hint }]);
});
