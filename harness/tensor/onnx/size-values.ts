/** Sizes that a written program works out itself, from the shape of what it is fed. */
import { type Extent, isFixed } from './extent.js';
import type { Graph, Value } from './graph.js';

export class SizeValues {
  readonly #known = new Map<string, Value>();

  /**
   * @param batch B as a value of the graph, [1] int64
   * @param tokens T likewise
   */
  constructor(
    readonly graph: Graph,
    readonly batch: Value,
    readonly tokens: Value,
  ) {}

  /** @returns [sizes.length] int64 */
  list(sizes: readonly Extent[]): Value {
    if (sizes.every(isFixed)) return this.graph.integers(sizes.map(({ constant }) => constant));
    return this.#once(JSON.stringify(sizes), () => {
      const parts = sizes.map((size) => this.#one(size));
      return parts.length === 1 ? parts[0]! : this.#node('Concat', parts, parts.length, { axis: 0 });
    });
  }

  /** @returns [] int64 */
  scalar(size: Extent): Value {
    return this.#once(`scalar ${JSON.stringify(size)}`, () =>
      this.graph.node('Squeeze', [this.list([size])], [], 'int64'),
    );
  }

  #one({ constant, batch, tokens, product }: Extent): Value {
    return this.#once(JSON.stringify([constant, batch, tokens, product]), () => {
      const both = () => this.#once('B T', () => this.#node('Mul', [this.batch, this.tokens]));
      const times = (factor: number, value: () => Value) =>
        factor === 0
          ? []
          : [factor === 1 ? value() : this.#node('Mul', [value(), this.graph.integers([factor])])];
      const terms = [
        ...times(batch, () => this.batch),
        ...times(tokens, () => this.tokens),
        ...times(product, both),
        ...(constant === 0 ? [] : [this.graph.integers([constant])]),
      ];
      if (terms.length === 0) return this.graph.integers([0]);
      return terms.reduce((sum, term) => this.#node('Add', [sum, term]));
    });
  }

  #node(op: string, inputs: readonly Value[], length = 1, attributes = {}): Value {
    return this.graph.node(op, inputs, [length], 'int64', attributes);
  }

  #once(key: string, make: () => Value): Value {
    let value = this.#known.get(key);
    if (value === undefined) {
      value = make();
      this.#known.set(key, value);
    }
    return value;
  }
}
