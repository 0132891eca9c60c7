/** What a config.json leaves out is what transformers takes for it, and which parameters decay. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Tensor, Tensor2D } from '../harness/contracts.js';
import { bertEncoder } from '../harness/encoders/bert.js';
import { t5Encoder } from '../harness/encoders/t5.js';
import { makeEncoder } from '../harness/model/checkpoint.js';
import type { Encoder } from '../harness/model/encoder.js';
import type { ModelConfig } from '../harness/model/fields.js';
import { modelTypes } from '../harness/model/known-encoders.js';
import { stream } from '../harness/random.js';
import { type ArraySpec, sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { madeRetriever } from './made-training.js';
import { inFixtures } from './places.js';

type Value = number | string | boolean;
type Fields = Record<string, Value>;
const defaults = JSON.parse(readFileSync(inFixtures('model/defaults.json'), 'utf8')) as Record<
  string,
  Fields
>;
const engine = await openEngine('tfjs-cpu');

/** What must be in the file. */
const bert = {
  num_hidden_layers: 1,
  hidden_size: 4,
  num_attention_heads: 2,
  intermediate_size: 6,
  vocab_size: 20,
};
const t5 = { num_layers: 1, d_model: 4, num_heads: 2, d_kv: 2, d_ff: 6, vocab_size: 20 };
const { vocab_size, num_hidden_layers: _, ...sizes } = bert;
const distilbert = { n_layers: 1, dim: 4, n_heads: 2, hidden_dim: 6, vocab_size };
/** Every third layer sees all, and padding is the 50,284th token. */
const modernbert = { ...sizes, num_hidden_layers: 4, num_attention_heads: 1, vocab_size: 50_290 };
/** What must be in the file, how many tokens show the defaults, and how small a table shows what normalization adds. */
const kinds: Readonly<Record<string, { needed: ModelConfig; tokens: number; scale: number }>> = {
  bert: { needed: bert, tokens: 6, scale: 1e-6 },
  roberta: { needed: bert, tokens: 6, scale: 1e-6 },
  'xlm-roberta': { needed: bert, tokens: 6, scale: 1e-6 },
  mpnet: { needed: bert, tokens: 6, scale: 1e-6 },
  electra: { needed: { ...bert, embedding_size: bert.hidden_size }, tokens: 6, scale: 1e-6 },
  distilbert: { needed: distilbert, tokens: 6, scale: 1e-6 },
  // Its buckets of distance reach to 128.
  t5: { needed: t5, tokens: 200, scale: 1e-3 },
  // Its neighbourhood is of 64 to each side.
  modernbert: { needed: modernbert, tokens: 80, scale: 1e-3 },
};
/** Those of which another is refused, and where null is another value. */
const fixed = ['position_embedding_type', 'sinusoidal_pos_embds'];
const fixedInMpnet = ['relative_attention_num_buckets', 'pad_token_id'];
const notNull = ['global_rope_theta', 'local_rope_theta'];

/** Embeddings so small that what normalization adds to their variance counts. */
function madeWeights({ parameters }: Encoder, scale: number): Float32Array[] {
  return parameters.map(({ name, shape: sizes }) => {
    const random = stream(1, 'weights', name);
    const isTable = /embeddings\.\w+\.weight|^shared/.test(name) && !name.includes('LayerNorm');
    return Float32Array.from({ length: sizeOf(sizes) }, () => (isTable ? scale : 1) * random.normal());
  });
}

/** Everything of an encoder that its configuration decides. */
async function outcome(encoder: Encoder, { tokens, scale }: { tokens: number; scale: number }) {
  const specs: ArraySpec[] = encoder.parameters.map(({ shape }) => ({ shape, dtype: 'float32' }));
  const text: ArraySpec[] = [
    { shape: [1, tokens], dtype: 'int32' },
    { shape: [1, tokens], dtype: 'float32' },
  ];
  const program = await engine.compile(
    (inputs: Tensor[]) => {
      const [ids, mask] = inputs.slice(specs.length) as [Tensor2D, Tensor2D];
      return [encoder.states(inputs.slice(0, specs.length), { ids, mask }).hidden[encoder.shape.layers]!];
    },
    [...specs, ...text],
  );
  const ids = Int32Array.from({ length: tokens }, (_, i) => 1 + (i % 19));
  const [states] = await program.run([...madeWeights(encoder, scale), ids, new Float32Array(tokens).fill(1)]);
  return {
    parameters: encoder.parameters,
    maxTokens: encoder.shape.maxTokens,
    paddingId: encoder.paddingId,
    sites: encoder.dropoutSites(1, 2),
    states: [...(states as Float32Array)],
  };
}

/** Another value that a file could hold. */
function another(value: Value, field: string): Value {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return /act/.test(field) ? 'relu' : 'gated-gelu';
  if (/dropout/.test(field)) return value + 0.1;
  // Half of a window counts to each side.
  if (field === 'local_attention') return value + 2;
  return Number.isInteger(value) ? value + 1 : 1.1 * value;
}

test('the defaults of every kind of encoder are tried', () => {
  assert.deepEqual(Object.keys(kinds).sort(), [...modelTypes].sort());
});

for (const [kind, { needed, ...shown }] of Object.entries(kinds)) {
  const said = defaults[kind]!;
  const make = (config: ModelConfig) => makeEncoder({ ...config, model_type: kind });
  test(`${kind}: a field that is left out is as if the file held the default of transformers`, async () => {
    const left = await outcome(make(needed), shown);
    assert.deepEqual(left, await outcome(make({ ...needed, ...said }), shown));
    // Null, which some files hold, is no value either.
    const nulls = Object.keys(said).filter((field) => !notNull.includes(field));
    const empty = Object.fromEntries(nulls.map((field) => [field, null]));
    assert.deepEqual(left, await outcome(make({ ...needed, ...empty }), shown));
  });
  for (const [field, value] of Object.entries(said)) {
    if (fixed.includes(field) || (kind === 'mpnet' && fixedInMpnet.includes(field))) continue;
    test(`${kind}: another ${field} makes another model`, async () => {
      const other = make({ ...needed, [field]: another(value, field) });
      assert.notDeepEqual(await outcome(other, shown), await outcome(make(needed), shown));
    });
  }
}

const decayedOf = ({ parameters }: Pick<Encoder, 'parameters'>) =>
  parameters.filter(({ decay }) => decay).map(({ name }) => name);
const othersOf = ({ parameters }: Pick<Encoder, 'parameters'>) =>
  parameters.filter(({ decay }) => !decay).map(({ name }) => name);

// transformers' Trainer leaves out normalizations and what has 'bias' in its name.
test('BERT: tables and matrices decay; biases and normalizations do not', () => {
  const layer = 'encoder.layer.0';
  const dense = ['query', 'key', 'value']
    .map((part) => `${layer}.attention.self.${part}`)
    .concat(`${layer}.attention.output.dense`, `${layer}.intermediate.dense`, `${layer}.output.dense`);
  const norms = ['embeddings', `${layer}.attention.output`, `${layer}.output`].map(
    (name) => `${name}.LayerNorm`,
  );
  const tables = ['word', 'position', 'token_type'].map((name) => `embeddings.${name}_embeddings.weight`);
  assert.deepEqual(
    decayedOf(bertEncoder(bert)).sort(),
    [...tables, ...dense.map((name) => `${name}.weight`)].sort(),
  );
  assert.deepEqual(
    othersOf(bertEncoder(bert)).sort(),
    [
      ...dense.map((name) => `${name}.bias`),
      ...norms.flatMap((name) => [`${name}.weight`, `${name}.bias`]),
    ].sort(),
  );
});

test('T5: the table and the matrices decay; normalizations and the bias of distances do not', () => {
  const [attention, wide] = ['encoder.block.0.layer.0', 'encoder.block.0.layer.1'];
  const matrices = (parts: string[]) => [
    'shared.weight',
    ...['q', 'k', 'v', 'o'].map((part) => `${attention}.SelfAttention.${part}.weight`),
    ...parts.map((part) => `${wide}.DenseReluDense.${part}.weight`),
  ];
  assert.deepEqual(decayedOf(t5Encoder(t5)), matrices(['wi', 'wo']));
  const gated = t5Encoder({ ...t5, feed_forward_proj: 'gated-gelu' });
  assert.deepEqual(decayedOf(gated), matrices(['wi_0', 'wi_1', 'wo']));
  assert.deepEqual(othersOf(gated), [
    `${attention}.SelfAttention.relative_attention_bias.weight`,
    `${attention}.layer_norm.weight`,
    `${wide}.layer_norm.weight`,
    'encoder.final_layer_norm.weight',
  ]);
});

test('what decays comes first, of both encoders, and the weights of a scalar mix with it', async () => {
  for (const tied of [true, false]) {
    const { retriever } = await madeRetriever('mlr-mix', { tied });
    const flags = retriever.parameters.map(({ name }) => !/bias|norm/i.test(name));
    assert.equal(retriever.decayed, flags.filter(Boolean).length);
    assert.deepEqual(
      flags,
      flags.map((_, i) => i < retriever.decayed),
    );
    const pooling = retriever.parameters.findIndex(({ owner }) => owner === 'pooling');
    assert.ok(pooling >= 0 && pooling < retriever.decayed);
    // 2 layers of 6 matrices and 3 tables, of one encoder or of both, and the mix.
    assert.equal(retriever.decayed, (tied ? 1 : 2) * 15 + 1);
  }
});
