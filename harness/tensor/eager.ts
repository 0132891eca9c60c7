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
    tensor: tf.Tensor,
  ) {
    this.size = tensor.size;
    this.tensor = tf.keep(tensor);
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

  async upload(): Promise<void> {}

  clear(): void {
    void tf.setBackend(this.backend);
    tf.tidy(() => this.replace(tf.zeros([this.size])));
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
    readonly fixed: ReadonlyMap<number, Feed>,
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
  const residents = new Map<Float32Array, EagerVariable>();
  const free = (values: Float32Array) => {
    residents.get(values)?.tensor.dispose();
    residents.delete(values);
  };
  function resident(values: Float32Array): EagerVariable {
    const known = residents.get(values);
    if (known !== undefined) return known;
    void tf.setBackend(backend);
    const variable = new EagerVariable(backend, tf.tensor1d(values));
    residents.set(values, variable);
    return variable;
  }
  return {
    name,
    ...facts,
    get busyMs() {
      return clock.busyMs;
    },
    async compile(build, inputs, options: CompileOptions = {}) {
      const fixed = [...(options.fixed ?? [])].map(
        ([i, values]) => [i, values instanceof Float32Array ? resident(values) : values] as const,
      );
      return new EagerProgram(backend, build, inputs, new Map(fixed), clock);
    },
    variables(sizes): VariableSet {
      void tf.setBackend(backend);
      const variables = sizes.map((size) => new EagerVariable(backend, tf.zeros([size])));
      return {
        variables,
        pieces: (first, end) => variables.slice(first, end),
        dispose: () => tf.dispose(variables.map((variable) => variable.tensor)),
      };
    },
    resident,
    release(values) {
      for (const each of values) free(each);
    },
    async dispose() {
      for (const values of [...residents.keys()]) free(values);
    },
  };
}
