/** Checkpoints that look like ones we compute and are others: read as what they are, or refused. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { activations } from '../harness/model/activations.js';
import { loadEncoder, makeEncoder } from '../harness/model/checkpoint.js';
import { type NamedTensor, SafetensorsFile, writeSafetensors } from '../harness/model/safetensors.js';
import { inFixtures } from './places.js';

type Kind = 'bert-gelu' | 't5-relu';

async function withCopy(kind: Kind, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-variants-'));
  try {
    await cp(inFixtures(`model/${kind}`), folder, { recursive: true });
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function tensorsOf(folder: string): Promise<NamedTensor[]> {
  const file = await SafetensorsFile.open(path.join(folder, 'model.safetensors'));
  const tensors: NamedTensor[] = [];
  for (const [name, { shape }] of file.entries) tensors.push({ name, shape, values: await file.read(name) });
  await file.close();
  return tensors;
}

async function configOf(kind: Kind): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path.join(inFixtures(`model/${kind}`), 'config.json'), 'utf8'));
}

describe('a configuration of another computation is refused', () => {
  for (const [kind, change, message] of [
    ['bert-gelu', { is_decoder: true }, /is_decoder is true: a decoder attends to the left only/],
    ['t5-relu', { is_decoder: true }, /is_decoder is true/],
    ['bert-gelu', { add_cross_attention: true }, /add_cross_attention is true; supported: false/],
    ['bert-gelu', { pruned_heads: { 0: [1] } }, /pruned_heads is \{"0":\[1\]\}/],
    ['bert-gelu', { quantization_config: { load_in_8bit: true } }, /quantization_config is there/],
    [
      'bert-gelu',
      { auto_map: { AutoModel: 'own.OwnModel' } },
      /code of the checkpoint's own, "own.OwnModel"/,
    ],
    ['t5-relu', { is_gated_act: true }, /is_gated_act is true; supported: false/],
    ['t5-relu', { dense_act_fn: 'gelu' }, /dense_act_fn is "gelu", and feed_forward_proj asks for relu/],
  ] as const) {
    test(`${kind} with ${JSON.stringify(change)}`, async () => {
      const config = await configOf(kind);
      assert.throws(() => makeEncoder({ ...config, ...change }), { code: 'CHECKPOINT_INVALID', message });
    });
  }

  test('what changes nothing is taken', async () => {
    const plain = { is_decoder: false, add_cross_attention: false, pruned_heads: {}, auto_map: {} };
    makeEncoder({ ...(await configOf('bert-gelu')), ...plain, is_decoder: null });
    makeEncoder({ ...(await configOf('t5-relu')), ...plain, dense_act_fn: 'relu', is_gated_act: false });
  });
});

test("gelu_pytorch_tanh is gelu_new under PyTorch's name, in BERT and in T5", async () => {
  assert.equal(activations.gelu_pytorch_tanh, activations.gelu_new);
  assert.notEqual(activations.gelu_pytorch_tanh, activations.gelu);
  makeEncoder({ ...(await configOf('bert-gelu')), hidden_act: 'gelu_pytorch_tanh' });
  const { dense_act_fn: _, ...t5 } = await configOf('t5-relu');
  makeEncoder({ ...t5, feed_forward_proj: 'gelu_pytorch_tanh' });
});

test('two names of one tensor may both be there where they hold the same; where they differ both are named', async () => {
  await withCopy('t5-relu', async (folder) => {
    const tensors = await tensorsOf(folder);
    const others = tensors.filter(({ name }) => name !== 'encoder.embed_tokens.weight');
    const shared = tensors.find(({ name }) => name === 'shared.weight')!;
    const write = (values: Float32Array) =>
      writeSafetensors(path.join(folder, 'model.safetensors'), [
        ...others,
        { ...shared, name: 'encoder.embed_tokens.weight', values },
      ]);
    await write(shared.values);
    await loadEncoder(folder);
    await write(shared.values.with(3, shared.values[3]! + 1));
    await assert.rejects(loadEncoder(folder), {
      code: 'CHECKPOINT_INVALID',
      message: /shared\.weight and encoder\.embed_tokens\.weight are the same tensor and differ/,
    });
  });
  await withCopy('bert-gelu', async (folder) => {
    const tensors = await tensorsOf(folder);
    const norm = tensors.find(({ name }) => name === 'embeddings.LayerNorm.weight')!;
    const old = {
      ...norm,
      name: 'embeddings.LayerNorm.gamma',
      values: norm.values.map((value) => value + 1),
    };
    await writeSafetensors(path.join(folder, 'model.safetensors'), [...tensors, old]);
    await assert.rejects(loadEncoder(folder), {
      message: /LayerNorm\.weight and .*LayerNorm\.gamma are the same/,
    });
  });
});

/** A file of float64 tensors. */
async function writeDoubles(file: string, tensors: readonly NamedTensor[]): Promise<void> {
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    const bytes = Buffer.alloc(8 * values.length);
    values.forEach((value, i) => void bytes.writeDoubleLE(value, 8 * i));
    header[name] = { dtype: 'F64', shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
    parts.push(bytes);
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  await writeFile(file, Buffer.concat([length, json, ...parts]));
}

test('weights of float64 are rounded to float32, and it is said', async () => {
  await withCopy('bert-gelu', async (folder) => {
    const plain = await loadEncoder(folder);
    assert.deepEqual(plain.remarks, []);
    const tensors = await tensorsOf(folder);
    await writeDoubles(path.join(folder, 'model.safetensors'), tensors);
    const { weights, remarks } = await loadEncoder(folder);
    assert.deepEqual(weights, plain.weights);
    const count = plain.weights.length;
    assert.deepEqual(remarks, [`${count} of ${count} tensors are rounded from float64 to float32`]);
  });
});

test('a float64 beyond float32 is no number to go on with', async () => {
  await withCopy('bert-gelu', async (folder) => {
    const tensors = await tensorsOf(folder);
    const file = path.join(folder, 'model.safetensors');
    await writeDoubles(file, tensors);
    const bytes = await readFile(file);
    bytes.writeDoubleLE(1e300, bytes.length - 8);
    await writeFile(file, bytes);
    await assert.rejects(loadEncoder(folder), {
      code: 'CHECKPOINT_INVALID',
      message: /holds Infinity at element/,
    });
  });
});
