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

export function parametersAsked({ nprobe, efSearch, parameters }: IndexConfig): AskedParameter[] {
  const known = Object.entries({ nprobe, efSearch }).map(([name, values]) => ({
    name,
    key: `index.${name}`,
    values,
  }));
  const others = Object.entries(parameters).map(([name, values]) => ({
    name,
    key: `index.parameters.${name}`,
    values,
  }));
  return [...known, ...others].flatMap(({ values, ...asked }) =>
    values === null ? [] : [{ ...asked, values }],
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
