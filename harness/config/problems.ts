/** Checks settings against the schema and says everything that is wrong with them at once. */
import type { ErrorObject, ValidateFunction } from 'ajv';
import { BenchError, nearestName } from '../errors.js';
import { compileSchema, short, shown } from '../json-schema.js';
import { configSchema, expectation, keyPaths, type SchemaNode } from './schema.js';
import type { Source } from './sources.js';

let validator: ValidateFunction | undefined;

const compiled = (schema: SchemaNode) => compileSchema(schema, { allErrors: true, verbose: true });

/** One line for each thing that is wrong with what a source says; empty where all is well. */
export function problemsOf({ name, settings }: Source): string[] {
  validator ??= compiled(configSchema());
  const source = name.startsWith('--') ? short(name) : name;
  return problemsFoundBy(validator, settings).map((problem) => `${problem} (${source})`);
}

/** The same of a value that a plug-in has a schema for. @param at where it stands in the configuration: `index.efSearch` */
export function problemsWith(schema: SchemaNode, value: unknown, at: string): string[] {
  return problemsFoundBy(compiled(schema), value, at);
}

function problemsFoundBy(validate: ValidateFunction, value: unknown, at = ''): string[] {
  if (validate(value)) return [];
  const lines = (validate.errors ?? [])
    // One of several choices failing is only of interest when all have.
    .filter((error) => !error.schemaPath.includes('/anyOf/'))
    .map((error) => describe(error, at));
  return [...new Set(lines)];
}

function describe(error: ErrorObject, at: string): string {
  const path = at + pathOf(error.instancePath);
  const node = error.parentSchema as SchemaNode;
  if (error.keyword === 'additionalProperties') {
    const key = String(error.params.additionalProperty);
    const value = shown((error.data as Record<string, unknown>)[key]);
    return `${path === '' ? short(key) : `${path}.${short(key)}`}: there is no such key${suggestKey(key, node)}; its value is ${value}`;
  }
  const said = `${path === '' ? 'the whole' : path}: ${shown(error.data)} is not ${expectation(node)}`;
  const unknown = unknownNames(error.data, node);
  if (unknown.length > 0) return `${said}; ${unknown.join(', ')}`;
  const near = typeof error.data === 'string' ? nearestName(error.data, textsOf(node)) : undefined;
  return near === undefined ? said : `${said}; did you mean '${near}'?`;
}

/** The texts of a list that are none of the names it takes, each with a near one; none where it takes any text. */
function unknownNames(data: unknown, node: SchemaNode): string[] {
  const names = [node, ...(node.anyOf ?? [])].flatMap(({ items }) => items?.enum ?? []).map(String);
  if (!Array.isArray(data) || names.length === 0) return [];
  return data
    .map((value) => (typeof value === 'string' ? value : shown(value)))
    .filter((name) => !names.includes(name))
    .map((name) => {
      const near = nearestName(name, names);
      return `there is no '${short(name)}'${near === undefined ? '' : `, did you mean '${near}'?`}`;
    });
}

function suggestKey(key: string, section: SchemaNode): string {
  const here = nearestName(key, Object.keys(section.properties ?? {}));
  if (here !== undefined) return `, did you mean '${here}'?`;
  const elsewhere = keyPaths().find((path) => path.endsWith(`.${key}`));
  if (elsewhere !== undefined) return `, did you mean '${elsewhere}'?`;
  return ` (known: ${Object.keys(section.properties ?? {}).join(', ')})`;
}

function textsOf(node: SchemaNode): string[] {
  const values = [...(node.enum ?? []), ...(node.anyOf ?? []).flatMap((choice) => choice.enum ?? [])];
  return values.filter((value) => typeof value === 'string');
}

/** `/train/seeds/0` as people write it: `train.seeds[0]`. */
function pathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part, i) => (/^\d+$/.test(part) ? `[${part}]` : i === 0 ? short(part) : `.${short(part)}`))
    .join('');
}

/** Further ones are counted: a file of another kind may have as many as it has members. */
const mostShown = 20;

/** @throws BenchError CONFIG_INVALID that lists all problems; returns where there are none */
export function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const count = problems.length === 1 ? 'one mistake' : `${problems.length} mistakes`;
  const further = problems.length - mostShown;
  const told = [...problems.slice(0, mostShown), ...(further > 0 ? [`and ${further} more`] : [])];
  throw new BenchError('CONFIG_INVALID', `The configuration has ${count}:\n  ${told.join('\n  ')}`, {
    hint: 'Every key and its default: harness/config.schema.json; what a run would use: bench run ... --dry-run',
  });
}
