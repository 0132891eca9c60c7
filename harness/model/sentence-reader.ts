/** Reads the small files of a published model, and says which of them cannot be used. */

import path from 'node:path';
import { BenchError } from '../errors.js';
import { modelJson } from '../text/model-json.js';

export type Json = Readonly<Record<string, unknown>>;

/** The section of the configuration that says what shall hold instead of what a model's files say. */
export type ModelSection = 'pretrained' | 'sparse' | 'cross';

/** No setting says what the files of a model that scores or weighs leave unknown. */
const savedAgain = (what: string, by: string) =>
  `Its ${what} would be others than its authors meant. Choose another model, or have sentence-transformers save it: ${by}(...).save_pretrained(...).`;

const hints: Readonly<Record<ModelSection, string>> = {
  pretrained:
    'Its vectors would be others than its authors meant. Say with --set pretrained.* what shall hold, or choose another model.',
  sparse: savedAgain('weights', 'SparseEncoder'),
  cross: savedAgain('scores', 'CrossEncoder'),
};

/** Reads the small files of a model, and keeps their names. */
export class FileReader {
  readonly read: string[] = [];

  constructor(
    readonly folder: string,
    readonly section: ModelSection = 'pretrained',
  ) {}

  /** Undefined where it is not there. */
  async json(name: string): Promise<unknown> {
    const value = await modelJson(path.join(this.folder, name));
    if (value !== undefined) this.read.push(name);
    return value;
  }

  async object(name: string): Promise<Json | undefined> {
    const value = await this.json(name);
    if (value === undefined) return undefined;
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Json;
    throw this.refused(`${name} does not hold a JSON object`);
  }

  async needed(name: string): Promise<Json> {
    const value = await this.object(name);
    if (value === undefined) throw this.refused(`${name} is missing, which modules.json names`);
    return value;
  }

  /** Of names that one file goes by. */
  async firstObject(below: string, names: readonly string[]): Promise<Json | undefined> {
    for (const name of names) {
      const found = await this.object(path.join(below, name));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  refuseOthers(config: Json, known: readonly string[], what: string): void {
    const others = Object.entries(config).filter(([key, value]) => !known.includes(key) && isSaid(value));
    if (others.length === 0) return;
    const list = others.map(([key, value]) => `${key} = ${JSON.stringify(value)}`).join(', ');
    throw this.refused(`its files say ${list} ${what}, which is not known`);
  }

  refused(what: string): BenchError {
    return new BenchError(
      'CHECKPOINT_INVALID',
      `${this.folder} cannot be used as it was published: ${what}.`,
      { hint: hints[this.section] },
    );
  }
}

/** Not what a file says by default: false, null, nothing. */
const isSaid = (value: unknown): boolean =>
  value !== false && value !== null && value !== undefined && JSON.stringify(value) !== '{}';

/** @throws BenchError CHECKPOINT_INVALID where it is there and no number of things */
export function countOf(files: FileReader, config: Json, key: string): number | undefined {
  const value = config[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw files.refused(`${key} is ${JSON.stringify(value)} and must be a whole number from 1`);
}
