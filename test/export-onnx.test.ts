import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it, test } from 'node:test';
import type { Tensor3D } from '../harness/contracts.js';
import { exportRetriever } from '../harness/export/export-folder.js';
import { writeModelFile } from '../harness/export/onnx-files.js';
import type { TrainedRetriever } from '../harness/export/trained-retriever.js';
import { Retriever } from '../harness/model/retriever.js';
import { silentProgress } from '../harness/progress.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { StoredModel } from '../harness/tensor/onnx/stored-model.js';
import * as tf from '../harness/tensor/operations.js';
import { combinations } from './found-architectures.js';
import { madeExport } from './made-exports.js';

// Not the engine whose recordings the files are made from.
const engine = await openEngine('tfjs-cpu');
const folder = await mkdtemp(path.join(tmpdir(), 'strata-export-'));
after(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});
const progress = silentProgress();
let made = 0;
const exported = (trained: TrainedRetriever, own: Engine = engine) =>
  exportRetriever(trained, 'onnx', path.join(folder, String(made++)), { engine: own, progress });

/** Runs an exported passage encoder on texts of these lengths, padded to the longest. */
async function run(exportedTo: string, lengths: readonly number[]) {
  const model = await StoredModel.open(path.join(exportedTo, 'passage.onnx'));
  const tokens = Math.max(...lengths);
  const ids = Int32Array.from({ length: lengths.length * tokens }, (_, i) => (7 * i + 5) % 40);
  const mask = lengths.flatMap((length) => Array.from({ length: tokens }, (_, t) => Number(t < length)));
  const output = await model.run(ids, Float32Array.from(mask), [lengths.length, tokens]);
  await model.dispose();
  return { ...output, present: output.present && [...output.present].map(Number) };
}

for (const kind of ['bert', 't5'] as const) {
  describe(`over ${kind}, a file gives our vectors for batches and lengths it was not recorded for`, () => {
    // What a pooling makes of vectors does not depend on where they come from.
    const tested = combinations.filter(({ pooling }) => kind === 'bert' || pooling === undefined);
    for (const { name } of tested) {
      it(name, async () => {
        const trained = await madeExport(name, kind);
        const tools = { engine, progress };
        const target = await mkdtemp(path.join(folder, 'side-'));
        const sides = name === 'dual-encoder' ? (['passage', 'query'] as const) : (['passage'] as const);
        for (const side of sides) {
          const check = await writeModelFile(target, trained, side, tools);
          assert.deepEqual([check.file, check.texts], [`${side}.onnx`, 12]);
          assert.ok(check.largestDifference <= 1e-5);
        }
      });
    }
  });
}

test('what is compared by cosine is exported with vectors of length 1', async () => {
  const { folder: target } = await exported(await madeExport('mlr-avg', 'bert', { similarity: 'cosine' }));
  const { vectors } = await run(target, [3, 5]);
  const lengths = [0, 8].map((at) => Math.hypot(...vectors.subarray(at, at + 8)));
  assert.ok(
    lengths.every((length) => Math.abs(length - 1) < 1e-5),
    String(lengths),
  );
});

test('the number of vectors follows the text where it varies', async () => {
  const colbert = await exported(await madeExport('colbert-cls', 't5'));
  assert.deepEqual((await run(colbert.folder, [1])).present, [1, 1]);
  const found = await run(colbert.folder, [3, 1]);
  assert.equal(found.vectorsPerText, 4);
  assert.deepEqual(found.present, [1, 1, 1, 1, 1, 1, 0, 0]);
  // Longer than a passage may be, and than any recording.
  assert.equal((await run(colbert.folder, [700, 3])).vectorsPerText, 701);
});

test('me-bert keeps its number of vectors for texts that are shorter', async () => {
  const masked = await exported(await madeExport('me-bert', 'bert', { options: { vectors: 5 } }));
  const found = await run(masked.folder, [3, 1]);
  assert.equal(found.vectorsPerText, 5);
  assert.deepEqual(found.present, [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]);
  const options = { vectors: 5, maskShort: false };
  const whole = await exported(await madeExport('me-bert', 'bert', { options }));
  assert.equal((await run(whole.folder, [3, 1])).present, undefined);
});

test('a file says what it is, and uses operators of ONNX alone', async () => {
  const { folder: target, files } = await exported(await madeExport('mlr-mix', 't5', { tied: false }));
  const bytes = await readFile(path.join(target, 'passage.onnx'));
  for (const part of ['strata', 'mlr-mix', 'made-up-key', 'input_ids', 'attention_mask', 'batch', 'sequence'])
    assert.ok(bytes.includes(part), part);
  assert.ok(bytes.includes('passage.shared.weight') && !bytes.includes('query.shared.weight'));
  assert.ok(bytes.includes('pooling.alpha'));
  assert.ok(!bytes.includes('com.microsoft'));
  const names = ['export.json', 'passage.onnx', 'query.onnx', 'special_tokens_map.json', 'tokenizer.json'];
  assert.deepEqual(files.map(({ name }) => name).slice(0, 5), names);
  await assert.rejects(
    exportRetriever(await madeExport('mlr', 't5'), 'onnx', target, { engine, progress }),
    /--out .* holds \S+ already/,
  );
});

test('a file with other vectors than ours is refused, and nothing remains', async () => {
  const before = await readdir(folder);
  const off: Engine = {
    ...engine,
    async compile(...request) {
      const program = await engine.compile(...request);
      return {
        dispose: () => program.dispose(),
        run: async (feeds) => (await program.run(feeds)).map((values) => values?.map((x) => x * 1.00003)),
      };
    },
  };
  await assert.rejects(exported(await madeExport('mlr', 'bert'), off), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'EXPORT_FAILED');
    assert.match(error.message, /passage.onnx .* differ from ours by 0\.0000(29|30)/);
    return true;
  });
  assert.deepEqual(await readdir(folder), before);
});

test('an architecture whose constants follow no rule is refused with the place', async () => {
  const trained = await madeExport('dual-encoder', 'bert');
  const { encoder, architecture } = trained.retriever;
  const family: typeof architecture.family = {
    ...architecture.family,
    represent: ({ hidden, summary }) => {
      const tokens = hidden[0]!.shape[1];
      const share = tf.mul(summary(2), 1 / tokens);
      return { vectors: tf.expandDims(share, 1) as Tensor3D };
    },
  };
  const retriever = new Retriever(encoder, true, { ...architecture, family });
  await assert.rejects(exported({ ...trained, retriever }), /input 1 of Mul is a constant \[\] that differs/);
});
