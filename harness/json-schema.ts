/** Checks what was read as JSON against a JSON Schema (draft 7), and says each fault with its path and the value seen. */
import { createRequire } from 'node:module';
import type * as Ajv from 'ajv';
import type { ErrorObject, Options, ValidateFunction } from 'ajv';

export type FindFaults = (value: unknown) => string[];

const require = createRequire(import.meta.url);

/** With ajv, which is loaded when there is first something to check: that takes longer than the help of a command. */
export function compileSchema(schema: object, options: Options): ValidateFunction {
  const { Ajv: Validator } = require('ajv') as typeof Ajv;
  return new Validator({ allowUnionTypes: true, ...options }).compile(schema);
}

/**
 * A check that is compiled when it is first used, and gives one line for each fault: `$.model must be object, not null`.
 * @param schema read when it is first needed
 * @param all false ends at the first fault: for what can hold a hundred thousand values
 */
export function faultFinder(schema: () => object, all = true): FindFaults {
  let compiled: ValidateFunction | undefined;
  return (value) => {
    compiled ??= compileSchema(schema(), { allErrors: all, verbose: true });
    if (compiled(value)) return [];
    // Beside the fault itself, a failed "if" says only that one of its branches failed.
    return (compiled.errors ?? []).filter(({ keyword }) => keyword !== 'if').map(faultOf);
  };
}

function faultOf({ instancePath, message, keyword, params, data }: ErrorObject): string {
  const path = jsonPath(instancePath.split('/').slice(1).map(unescapePointer));
  if (keyword === 'additionalProperties') return `${path} must not have '${params.additionalProperty}'`;
  if (keyword === 'required') return `${path} lacks '${params.missingProperty}'`;
  if (keyword === 'false schema') return `${path} must not be there`;
  return `${path} ${message}, not ${shown(data)}`;
}

/** `$.measures["mrr@10"].perQuery[3]` */
export function jsonPath(keys: readonly (string | number)[]): string {
  return keys.reduce<string>((path, key) => {
    if (/^\d+$/.test(String(key))) return `${path}[${key}]`;
    return /^[A-Za-z_]\w*$/.test(String(key)) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
  }, '$');
}

const unescapePointer = (text: string): string => text.replaceAll('~1', '/').replaceAll('~0', '~');

/** A value in an error: as JSON, and no longer than a line. JSON has no NaN and no infinity. */
export const shown = (value: unknown): string =>
  short(typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value)));

/** A text in an error, no longer than a line. */
export const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
