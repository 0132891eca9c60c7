/** What the configuration tells a search of an index that was built: `nprobe`, `efSearch`, and what a searcher may take beside. */
import type { IndexConfig } from './bench-config.js';
import { problemsWith } from './problems.js';
import type { SchemaNode } from './schema.js';

export interface AskedParameter {
  /** As the searcher calls it. */
  name: string;
  /** Where it stands: `index.nprobe`. */
  key: string;
  /** Each is a point of the curve; the last is what the run is measured with. */
  values: readonly number[];
}

/** Those that have a key of their own. */
const ownKeys = ['nprobe', 'efSearch'] as const;

/** Where a parameter stands. */
export function parameterKey(name: string): string {
  return ownKeys.some((own) => own === name) ? `index.${name}` : `index.parameters.${name}`;
}

export function parametersAsked(index: IndexConfig): AskedParameter[] {
  const asked = [...ownKeys.map((name) => [name, index[name]] as const), ...Object.entries(index.parameters)];
  return asked.flatMap(([name, values]) =>
    values === null ? [] : [{ name, key: parameterKey(name), values }],
  );
}

/**
 * What is wrong with them for a searcher.
 * @param schemas of one value of each parameter that it takes
 */
export function parameterProblems(
  index: IndexConfig,
  schemas: Readonly<Record<string, SchemaNode>>,
  searcher: string,
): string[] {
  return parametersAsked(index).flatMap(({ name, key, values }) => {
    if (!Object.hasOwn(schemas, name)) {
      const known = Object.keys(schemas);
      const takes = known.length === 0 ? 'no parameter' : known.join(', ');
      return [`${key}: the searcher '${searcher}' takes ${takes}, and no ${name}`];
    }
    return problemsWith({ type: 'array', items: schemas[name]! }, values, key);
  });
}
