/** config.schema.json as the loader sees it: the defaults, the place of a key, and what a value must be, in words. */
import { readFileSync } from 'node:fs';
import { parseJson } from '../json.js';
import { builtRoot, namesBeside } from '../plugin-files.js';
import type { BenchConfig } from './bench-config.js';

/** The part of JSON Schema (draft 7) that config.schema.json uses. */
export interface SchemaNode {
  description?: string;
  type?: string | readonly string[];
  enum?: readonly unknown[];
  anyOf?: readonly SchemaNode[];
  properties?: Readonly<Record<string, SchemaNode>>;
  /** Of keys that anybody may add; false where there are none such. */
  additionalProperties?: false | SchemaNode;
  items?: SchemaNode;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  minLength?: number;
  default?: unknown;
  /** A folder of plug-ins below `harness`, whose names are values too, beside the default. */
  plugins?: string;
}

let loaded: SchemaNode | undefined;

/** The schema; it lies beside the sources, outside dist, so that editors find it too. */
export function configSchema(): SchemaNode {
  const file = new URL('../../../harness/config.schema.json', import.meta.url);
  loaded ??= withPlugins(parseJson(readFileSync(file, 'utf8')) as SchemaNode);
  return loaded;
}

/** A key whose values are plug-ins takes the names of those that there are. */
function withPlugins({ plugins, ...node }: SchemaNode): SchemaNode {
  const members = Object.entries(node.properties ?? {}).map(
    ([key, each]) => [key, withPlugins(each)] as const,
  );
  return {
    ...node,
    ...(node.properties !== undefined && { properties: Object.fromEntries(members) }),
    ...(plugins !== undefined && {
      enum: [node.default, ...namesBeside({ folder: `harness/${plugins}` }, node.default, builtRoot)],
    }),
  };
}

/** What applies where no preset, file or flag says otherwise. */
export const defaultConfig = (): BenchConfig => structuredClone(defaultsOf(configSchema())) as BenchConfig;

function defaultsOf(node: SchemaNode): unknown {
  if (node.properties === undefined) return node.default;
  const members = Object.entries(node.properties).map(([key, member]) => [key, defaultsOf(member)] as const);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** The schema of the key at this path; undefined where there is no such key. */
export function nodeAt(path: readonly string[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = configSchema();
  for (const key of path) {
    const { properties = {}, additionalProperties }: SchemaNode = node ?? {};
    node = Object.hasOwn(properties, key) ? properties[key] : additionalProperties || undefined;
  }
  return node;
}

/** Every key with its section: `train.epochs`. */
export function keyPaths(node: SchemaNode = configSchema(), prefix = ''): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, member]) =>
    member.properties === undefined ? [prefix + key] : keyPaths(member, `${prefix}${key}.`),
  );
}

/** Whether a value of this JSON type can be right there. */
export function admits(node: SchemaNode | undefined, type: 'string' | 'array' | 'number' | 'null'): boolean {
  if (node === undefined) return false;
  if (node.anyOf !== undefined) return node.anyOf.some((choice) => admits(choice, type));
  if (node.enum !== undefined)
    return node.enum.some((value) => (value === null ? 'null' : typeof value) === type);
  const types = [node.type ?? []].flat();
  return types.includes(type) || (type === 'number' && types.includes('integer'));
}

/** Whether a list there can hold a value of this JSON type. */
export function itemAdmits(node: SchemaNode | undefined, type: 'string' | 'number'): boolean {
  if (node?.anyOf !== undefined) return node.anyOf.some((choice) => itemAdmits(choice, type));
  return admits(node?.items, type);
}

/** Whether a list there can be empty. */
export function admitsEmptyList(node: SchemaNode | undefined): boolean {
  if (node?.anyOf !== undefined) return node.anyOf.some(admitsEmptyList);
  return admits(node, 'array') && (node?.minItems ?? 0) === 0;
}

/** What a value must be, in words: `a whole number of 1 or more, or null`. */
export const expectation = (node: SchemaNode): string => [...new Set(choices(node))].join(', or ');

function choices(node: SchemaNode): string[] {
  if (node.anyOf !== undefined) return node.anyOf.flatMap(choices);
  if (node.enum !== undefined) {
    const values = node.enum.map((value) => JSON.stringify(value));
    return [values.length === 1 ? values[0]! : `one of ${values.join(', ')}`];
  }
  return [node.type ?? 'object'].flat().map((type) => nameOf(type, node));
}

function nameOf(type: string, node: SchemaNode): string {
  switch (type) {
    case 'integer':
      return `a whole number${range(node)}`;
    case 'number':
      return `a number${range(node)}`;
    case 'string':
      return node.minLength === undefined ? 'a text' : 'a text that is not empty';
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list of ${node.minItems === undefined ? '' : 'one or more '}different values, each ${node.items === undefined ? '' : expectation(node.items)}`;
    case 'object':
      return node.properties === undefined
        ? 'a section'
        : `a section with the keys ${Object.keys(node.properties).join(', ')}`;
    default:
      return type;
  }
}

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: SchemaNode): string {
  const limits: string[] = [];
  if (minimum !== undefined) limits.push(maximum === undefined ? `of ${minimum} or more` : `from ${minimum}`);
  if (exclusiveMinimum !== undefined) limits.push(`above ${exclusiveMinimum}`);
  if (maximum !== undefined) limits.push(`up to ${maximum}`);
  if (exclusiveMaximum !== undefined) limits.push(`and below ${exclusiveMaximum}`);
  return limits.length === 0 ? '' : ` ${limits.join(' ')}`;
}
