import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scratchEncoder } from '../harness/model/scratch.js';

describe('scratchEncoder', () => {
  const sizes = {
    layers: 2,
    dimensions: 32,
    heads: 4,
    intermediate: 64,
    vocabularySize: 500,
    maxTokens: 64,
    dropout: 0.1,
  };

  test('starts as transformers starts a BERT, and a seed decides all of it', () => {
    const { encoder, weights } = scratchEncoder(sizes, 7);
    for (const [i, { name }] of encoder.parameters.entries()) {
      const values = weights[i]!;
      if (name.endsWith('LayerNorm.weight'))
        assert.ok(
          values.every((x) => x === 1),
          name,
        );
      else if (name.endsWith('.bias'))
        assert.ok(
          values.every((x) => x === 0),
          name,
        );
    }
    assert.ok(weights[0]!.subarray(0, 32).every((x) => x === 0));
    const rest = weights[0]!.subarray(32);
    const mean = rest.reduce((sum, x) => sum + x, 0) / rest.length;
    const deviation = Math.sqrt(rest.reduce((sum, x) => sum + (x - mean) ** 2, 0) / rest.length);
    // 15,968 draws: the bounds are more than six standard errors away.
    assert.ok(Math.abs(mean) < 0.001 && Math.abs(deviation - 0.02) < 0.0008, `${mean} ${deviation}`);
    assert.deepEqual(scratchEncoder(sizes, 7).weights, weights);
    assert.notDeepEqual(scratchEncoder(sizes, 8).weights[0], weights[0]);
    assert.notDeepEqual(weights[5], weights[7]);
  });

  test('is a BERT whose config.json says so, with places and kinds of text quiet, and matrices as Glorot has them', () => {
    const { encoder, weights } = scratchEncoder(sizes, 7);
    assert.deepEqual(encoder.config, {
      ...{ model_type: 'bert', architectures: ['BertModel'], vocab_size: 500, hidden_size: 32 },
      ...{ num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 64, max_position_embeddings: 64 },
      ...{ type_vocab_size: 2, hidden_act: 'gelu', layer_norm_eps: 1e-12, initializer_range: 0.02 },
      ...{ hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1, pad_token_id: 0 },
    });
    const expected: [pattern: RegExp, deviation: number, count: number][] = [
      [/position_embeddings/, 0.002, 1],
      [/token_type_embeddings/, 0.002, 1],
      [/self\.(query|key)\.weight/, 0.02, 4],
      [/(self\.value|attention\.output\.dense)\.weight/, Math.sqrt(2 / 64), 4],
      [/layer\.\d\.(intermediate|output)\.dense\.weight/, Math.sqrt(2 / 96), 4],
    ];
    for (const [pattern, deviation, count] of expected) {
      const matching = encoder.parameters.flatMap(({ name }, i) => (pattern.test(name) ? [weights[i]!] : []));
      assert.equal(matching.length, count, String(pattern));
      const values = matching.flatMap((each) => [...each]);
      const found = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
      // Of 64 draws at least: within five standard errors.
      const allowed = (5 * deviation) / Math.sqrt(2 * values.length);
      assert.ok(Math.abs(found - deviation) < allowed, `${pattern}: ${found} for ${deviation}`);
    }
  });

  test('sizes that do not fit each other', () => {
    assert.throws(() => scratchEncoder({ ...sizes, heads: 5, layers: 0, dropout: 1 }, 1), {
      code: 'CHECKPOINT_INVALID',
      message:
        /num_hidden_layers is 0[\s\S]*hidden_dropout_prob is 1[\s\S]*hidden_size 32 cannot be divided by num_attention_heads 5/,
    });
  });
});
