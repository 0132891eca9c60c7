import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/export.js';
import { saveRetriever } from '../harness/model/retriever-files.js';
import { madeExport, madeTokenizer } from './made-exports.js';

const folder = await mkdtemp(path.join(tmpdir(), 'strata-cli-export-'));
after(() => rm(folder, { recursive: true }));
const checkpoint = path.join(folder, 'checkpoint');
const { retriever, weights, facts } = await madeExport('me-bert', 'bert');
await saveRetriever(checkpoint, retriever, weights, madeTokenizer.files, facts);

async function bench(out: string, format: string, ...more: string[]): Promise<string> {
  let printed = '';
  const argv = ['--checkpoint', checkpoint, '--format', format, '--out', path.join(folder, out), ...more];
  assert.equal(await execute('export', command, argv, (text) => (printed += text)), 0);
  return printed;
}

test('bench export prints the files and how far their vectors lie from ours', async () => {
  const printed = await bench('deep/onnx', 'onnx');
  assert.match(printed, /^me-bert, checkpoint [0-9a-f]{20}\n/);
  assert.match(printed, /passage\.onnx +[\d.]+ KiB +\d\.\de[+-]\d+ of 1e-5 +12\n/);
  assert.match(printed, /query\.onnx +[\d.]+ KiB +\d\.\de[+-]\d+ of 1e-5 +12\n/);
  await mkdir(path.join(folder, 'empty'));
  const found = JSON.parse(await bench('empty', 'safetensors', '--json'));
  assert.deepEqual(
    [found.architecture, found.format, found.folder],
    ['me-bert', 'safetensors', path.join(folder, 'empty')],
  );
  assert.ok(found.files.some(({ name }: { name: string }) => name === 'encoder/model.safetensors'));
});

test('bench export refuses a format it has not, a folder in use and what is no checkpoint', async () => {
  const before = await readdir(folder);
  await assert.rejects(bench('x', 'onx'), /There is no export format 'onx'. Did you mean 'onnx'\?/);
  await assert.rejects(bench('checkpoint', 'onnx'), /it holds \S+ already/);
  await writeFile(path.join(folder, 'file'), '');
  await assert.rejects(bench('file', 'onnx'), /it holds a file already/);
  await rm(path.join(folder, 'file'));
  await assert.rejects(
    execute('export', command, ['--checkpoint', folder, '--format', 'onnx', '--out', path.join(folder, 'x')]),
    { code: 'CHECKPOINT_INVALID' },
  );
  assert.deepEqual(await readdir(folder), before);
});
