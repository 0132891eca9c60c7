/** The kernel in WebAssembly against the tensor program that it stands for. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { stream } from '../harness/random.js';
import type { VariableSet } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { AdamW } from '../harness/train/adamw.js';

// The second is longer than a piece of the kernel, no size a multiple of four, and the decay ends inside a piece.
const sizes = [7, 2 * 65536 + 3, 1, 1001];
const decayed = 2;

type Sets = [VariableSet, VariableSet, VariableSet, VariableSet];

for (const weightDecay of [0, 0.1]) {
  it(`leaves the same bits as the program, with weight decay ${weightDecay}`, async () => {
    const engine = await openEngine('onnx');
    const made = () => [0, 1, 2, 3].map(() => engine.variables(sizes)) as Sets;
    const inMemory = made();
    assert.ok(inMemory.every(({ memory }) => memory !== undefined));
    const elsewhere = made().map(({ variables, pieces, dispose }) => ({
      variables,
      pieces,
      dispose,
    })) as Sets;
    const optimizers = [inMemory, elsewhere].map(
      ([parameters, gradients, first, second]) =>
        new AdamW(engine, parameters, gradients, { first, second }, decayed, weightDecay),
    );
    const random = stream(1, 'kernel');
    for (let step = 0; step <= 4; step++) {
      for (const [i, size] of sizes.entries()) {
        const values = Float32Array.from({ length: size }, () => random.uniform() - 0.5);
        // Step 0 sets the parameters; some gradients are 0, as those of words that no text has.
        if (step > 0) values.fill(0, 0, size >> 2);
        for (const sets of [inMemory, elsewhere]) sets[step === 0 ? 0 : 1].variables[i]!.write(values);
      }
      if (step === 0) continue;
      const times = [];
      for (const optimizer of optimizers) times.push(await optimizer.step(step, 0.01 / step, 0.3));
      assert.ok(times[0]! > 0 && times[1] === 0, 'only the kernel tells of time outside the engine');
    }
    for (const [s, set] of inMemory.entries()) {
      for (const [i, variable] of set.variables.entries()) {
        assert.deepEqual(await variable.read(), await elsewhere[s]!.variables[i]!.read(), `set ${s}, ${i}`);
      }
    }
    for (const optimizer of optimizers) await optimizer.dispose();
  });
}
