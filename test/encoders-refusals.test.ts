/** What encoders refuse, by name: a configuration that they would compute as something else than its authors mean. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEncoder } from '../harness/model/checkpoint.js';
import { encoders, modelTypes } from '../harness/model/known-encoders.js';

const forms = encoders.flatMap(({ name, examples }) =>
  Object.entries(examples).map(([form, example]) => ({ name, form, example })),
);

for (const { name, form, example } of forms) {
  test(`${form}: what a config.json asks for and is not there is refused by name`, () => {
    const refused = (change: object, message: RegExp) =>
      assert.throws(() => makeEncoder({ ...example, ...change }), { code: 'CHECKPOINT_INVALID', message });
    refused({ is_decoder: true }, /is_decoder is true/);
    refused({ add_cross_attention: true }, /add_cross_attention is true/);
    refused({ quantization_config: { load_in_8bit: true } }, /quantization_config is there/);
    refused({ auto_map: { AutoModel: 'own.OwnModel' } }, /own\.OwnModel/);
    refused({ vocab_size: 0, pad_token_id: -1 }, /vocab_size is 0.*\n.*pad_token_id is -1/s);
    for (const rate of encoders.find((each) => each.name === name)!.dropoutRates)
      refused({ [rate]: 1 }, new RegExp(`${rate} is 1 and must be at least 0 and below 1`));
    const sizes =
      /^(vocab_size|n(um_hidden|um)?_layers|n(um_attention|um)?_heads|hidden_(size|dim)|dim|d_model)$/;
    const needed = Object.keys(example).filter((key) => sizes.test(key));
    assert.ok(needed.length >= 4, String(needed));
    for (const key of needed) refused({ [key]: undefined }, new RegExp(`${key} is missing`));
  });
}

test('every kind has its own way of computing: what it alone has and is not supported here is named', () => {
  const cases: readonly [string, object, RegExp][] = [
    [
      'roberta',
      { max_position_embeddings: 2 },
      /max_position_embeddings 2 leaves no position behind pad_token_id 1/,
    ],
    ['roberta', { position_embedding_type: 'relative_key' }, /position_embedding_type is "relative_key"/],
    ['roberta', { hidden_act: 'silu' }, /hidden_act is "silu"; supported: gelu/],
    ['electra', { embedding_size: 8 }, /embedding_size is 8; supported: hidden_size, here 20/],
    ['electra', { embedding_size: undefined }, /embedding_size is 128; supported: hidden_size/],
    ['mpnet', { pad_token_id: 0 }, /pad_token_id is 0; supported: 1/],
    ['mpnet', { relative_attention_num_buckets: 8 }, /relative_attention_num_buckets is 8/],
    ['mpnet', { num_attention_heads: 5 }, /hidden_size 24 cannot be divided by num_attention_heads 5/],
    ['distilbert', { sinusoidal_pos_embds: true }, /sinusoidal_pos_embds is true; supported: false/],
    ['distilbert', { activation: 'silu' }, /activation is "silu"/],
    ['modernbert', { hidden_activation: 'silu' }, /hidden_activation is "silu"/],
    ['modernbert', { rope_scaling: { type: 'linear', factor: 2 } }, /rope_scaling is there/],
    [
      'modernbert',
      { layer_types: ['full_attention'] },
      /layer_types is \["full_attention"\].* each of 4 layers/,
    ],
    ['modernbert', { layer_types: Array(4).fill('chunked_attention') }, /layer_types is .*chunked_attention/],
    ['modernbert', { hidden_size: 20 }, /hidden_size 20 over num_attention_heads 4 is not even/],
    ['modernbert', { local_rope_theta: null }, /local_rope_theta is null/],
    [
      'modernbert',
      { rope_parameters: { full_attention: { rope_type: 'yarn', rope_theta: 1e4 } } },
      /rope_parameters\.full_attention\.rope_type is "yarn"; supported: default/,
    ],
    ['modernbert', { mlp_bias: 'no' }, /mlp_bias is "no" and must be true or false/],
  ];
  for (const [form, change, message] of cases) {
    const { example } = forms.find((each) => each.form === form)!;
    assert.throws(() => makeEncoder({ ...example, ...change }), { code: 'CHECKPOINT_INVALID', message });
  }
});

test('a model_type that no encoder takes is refused with those that are taken', () => {
  for (const type of ['albert', undefined, 7, 'constructor'])
    assert.throws(() => makeEncoder({ model_type: type }), {
      code: 'CHECKPOINT_INVALID',
      message: new RegExp(`supported: ${modelTypes.join(', ')}\\.$`),
    });
});
