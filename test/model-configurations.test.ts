import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { bertEncoder } from '../harness/encoders/bert.js';
import { t5Encoder } from '../harness/encoders/t5.js';
import type { Encoder } from '../harness/model/encoder.js';
import { relativeBuckets } from '../harness/model/relative-position.js';
import { scratchEncoder } from '../harness/model/scratch.js';
import { openEngine } from '../harness/tensor/engines.js';
import { inFixtures } from './places.js';

const fixtures = inFixtures('model');

test('relative position buckets are those of transformers', async () => {
  const file = path.join(fixtures, 'relative-buckets.json');
  const engine = await openEngine('tfjs-cpu');
  const reference = JSON.parse(await readFile(file, 'utf8')) as Record<string, number[]>;
  for (const [key, expected] of Object.entries(reference)) {
    const [buckets, distance] = key.split(',').map(Number);
    const program = await engine.compile(() => [relativeBuckets(201, buckets!, distance!)], []);
    const actual = (await program.run([]))[0] as Int32Array;
    // Row 0 looks forward, row 200 backward.
    const backward = Array.from(actual.subarray(200 * 201));
    const forward = Array.from(actual.subarray(1, 201));
    assert.deepEqual([...backward, ...forward], expected, key);
  }
});

test('a configuration with several wrong values is refused with all of them', () => {
  const refused = (make: () => Encoder, ...parts: RegExp[]) =>
    assert.throws(make, (error: Error & { code?: string }) => {
      assert.equal(error.code, 'CHECKPOINT_INVALID');
      for (const part of parts) assert.match(error.message, part);
      return true;
    });
  refused(
    () =>
      bertEncoder({ hidden_size: 30, num_attention_heads: 4, hidden_act: 'swish', num_hidden_layers: '2' }),
    /num_hidden_layers is "2"/,
    /vocab_size is missing/,
    /hidden_act is "swish"; supported: gelu, gelu_python, gelu_new, .*, relu/,
    /hidden_size 30 cannot be divided by num_attention_heads 4/,
  );
  refused(
    () => t5Encoder({ num_layers: 2, feed_forward_proj: 'gated-silu', dropout_rate: 1 }),
    /d_model is missing/,
    /feed_forward_proj is "gated-silu"/,
    /dropout_rate is 1 /,
  );
});

test('dropout sites: none where all rates are 0', () => {
  const sizes = { layers: 2, dimensions: 8, heads: 2, intermediate: 8, vocabularySize: 9, maxTokens: 8 };
  assert.equal(scratchEncoder({ ...sizes, dropout: 0 }, 1).encoder.dropoutSites(2, 3).length, 0);
  const sites = scratchEncoder({ ...sizes, dropout: 0.1 }, 1).encoder.dropoutSites(2, 3);
  assert.deepEqual(
    sites.map((site) => site.shape.join('x')),
    ['2x3x8', '2x2x3x3', '2x3x8', '2x3x8', '2x2x3x3', '2x3x8', '2x3x8'],
  );
});
