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
const ownKeys = ['nprobe', 'efSearch', 'dimensions', 'rescore'] as const;

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

/** What a searcher says of a parameter: a JSON schema of one value, and what it is to be beside others. */
export type ParameterNode = SchemaNode & {
  order?: 'descending';
  notBelowDepth?: true;
  notAboveDimensions?: true;
};

/**
 * What is wrong with them for a searcher.
 * @param schemas of one value of each parameter that it takes
 * @param depth hits per query
 * @param dimensions D; undefined where it is not known yet
 */
export function parameterProblems(
  index: IndexConfig,
  schemas: Readonly<Record<string, ParameterNode>>,
  searcher: string,
  depth: number,
  dimensions?: number,
): string[] {
  return parametersAsked(index).flatMap(({ name, key, values }) => {
    if (!Object.hasOwn(schemas, name)) {
      const known = Object.keys(schemas);
      const takes = known.length === 0 ? 'no parameter' : known.join(', ');
      return [`${key}: the searcher '${searcher}' takes ${takes}, and no ${name}`];
    }
    const { order, notBelowDepth, notAboveDimensions, ...items } = schemas[name]!;
    const problems = problemsWith({ type: 'array', items }, values, key);
    if (problems.length > 0) return problems;
    const rising = values.find((value, i) => i > 0 && value >= values[i - 1]!);
    if (order === 'descending' && rising !== undefined)
      return [
        `${key}: ${values.join(',')} does not go down at ${rising}; the last is what the run is measured with`,
      ];
    const low = values.find((value) => value !== 0 && value < depth);
    if (notBelowDepth && low !== undefined)
      return [`${key}: ${low} is less than the ${depth} hits that search.depth asks for`];
    const long = values.find((value) => dimensions !== undefined && value > dimensions);
    if (notAboveDimensions && long !== undefined)
      return [`${key}: ${long} is more than the ${dimensions} numbers of a vector`];
    return [];
  });
}
