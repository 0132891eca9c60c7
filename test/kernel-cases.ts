/** Every program of kernels with what it is fed, and its gradients where it has some; and the same on two engines. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Engine } from '../harness/tensor/engine.js';
import { specOf, valuesFor } from './kernel-inputs.js';
import { assertClose, programs, withGradients } from './kernel-programs.js';

export const kernelCases = Object.entries(programs).map(([title, { inputs, build, noGradient }]) => {
  const specs = inputs.map(specOf);
  const isTrained =
    noGradient !== true && title !== 'constants' && specs.some(({ dtype }) => dtype === 'float32');
  const gradients = isTrained ? withGradients(build, specs) : undefined;
  const feeds = inputs.map((input, i) => valuesFor(input, title, i));
  return { title, specs, feeds, build, gradients, builds: gradients ? [build, gradients] : [build] };
});

export function assertKernels(reference: Engine, engine: Engine): void {
  for (const { title, specs, feeds, builds } of kernelCases)
    it(title, async () => {
      for (const [b, program] of builds.entries()) {
        const expected = await (await reference.compile(program, specs)).run(feeds);
        const actual = await (await engine.compile(program, specs)).run(feeds);
        assert.equal(actual.length, expected.length);
        for (const [i, values] of expected.entries())
          assertClose(actual[i]!, values!, `${title}, ${b === 0 ? 'output' : 'gradient'} ${i}`);
      }
    });
}
