/** An engine that runs every operation at once on one of tfjs's own backends. */
import * as tf from '@tensorflow/tfjs-core';
import type {
  ArraySpec,
  CompileOptions,
  Engine,
  EngineName,
  Feed,
  NumericArray,
  Program,
  Variable,
  VariableSet,
} from './engine.js';
import { sizeOf } from './engine.js';

class EagerVariable implements Variable {
  readonly size: number;
  tensor: tf.Tensor;

  constructor(
    readonly backend: string,
    size: number,
  ) {
    this.size = size;
    this.tensor = tf.keep(tf.zeros([size]));
  }

  async read(): Promise<Float32Array> {
    return Float32Array.from(await this.tensor.data());
  }

  write(values: Float32Array): void {
    if (values.length !== this.size)
      throw new RangeError(`${values.length} values for ${this.size} elements`);
    void tf.setBackend(this.backend);
    tf.tidy(() => this.replace(tf.tensor1d(Float32Array.from(values))));
  }

  replace(tensor: tf.Tensor): void {
    const flat = tf.keep(tf.reshape(tensor, [this.size]));
    this.tensor.dispose();
    this.tensor = flat;
  }
}

class EagerProgram implements Program {
  constructor(
    readonly backend: string,
    readonly build: (inputs: tf.Tensor[]) => readonly tf.Tensor[],
    readonly specs: readonly ArraySpec[],
    readonly fixed: ReadonlyMap<number, NumericArray>,
    readonly clock: { busyMs: number },
  ) {}

  async run(feeds: readonly Feed[], into: readonly (Variable | undefined)[] = []) {
    const started = performance.now();
    void tf.setBackend(this.backend);
    const outputs = tf.tidy(() => {
      let fed = 0;
      const inputs = this.specs.map((spec, i) => toTensor(this.fixed.get(i) ?? feeds[fed++]!, spec));
      return this.build(inputs) as tf.Tensor[];
    });
    // Variables first: another engine may be at work after the first await, with its own backend in force.
    tf.tidy(() => {
      for (const [i, output] of outputs.entries()) (into[i] as EagerVariable | undefined)?.replace(output);
    });
    const results: (NumericArray | undefined)[] = [];
    for (const [i, output] of outputs.entries()) {
      results.push(into[i] === undefined ? ((await output.data()).slice() as NumericArray) : undefined);
    }
    tf.dispose(outputs);
    this.clock.busyMs += performance.now() - started;
    return results;
  }

  async dispose(): Promise<void> {}
}

function toTensor(feed: Feed, spec: ArraySpec): tf.Tensor {
  if (feed instanceof EagerVariable) return tf.reshape(feed.tensor, [...spec.shape]);
  const values = feed as NumericArray;
  if (values.length !== sizeOf(spec.shape)) {
    throw new RangeError(`${values.length} values fed to an input of shape [${spec.shape}]`);
  }
  return tf.tensor(values, [...spec.shape], spec.dtype);
}

/** @param backend the tfjs backend's registered name, already loaded */
export function eagerEngine(
  name: EngineName,
  backend: string,
  facts: Pick<Engine, 'device' | 'threads' | 'versions'>,
): Engine {
  void tf.setBackend(backend);
  const clock = { busyMs: 0 };
  return {
    name,
    ...facts,
    get busyMs() {
      return clock.busyMs;
    },
    async compile(build, inputs, options: CompileOptions = {}) {
      return new EagerProgram(backend, build, inputs, options.fixed ?? new Map(), clock);
    },
    variables(sizes): VariableSet {
      void tf.setBackend(backend);
      const variables = sizes.map((size) => new EagerVariable(backend, size));
      return {
        variables,
        pieces: (first, end) => variables.slice(first, end),
        dispose: () => tf.dispose(variables.map((variable) => variable.tensor)),
      };
    },
    async dispose() {},
  };
}
