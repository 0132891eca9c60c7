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

  test('sizes that do not fit each other', () => {
    assert.throws(() => scratchEncoder({ ...sizes, heads: 5, layers: 0, dropout: 1 }, 1), {
      code: 'CHECKPOINT_INVALID',
      message:
        /num_hidden_layers is 0[\s\S]*hidden_dropout_prob is 1[\s\S]*hidden_size 32 cannot be divided by num_attention_heads 5/,
    });
  });
});
