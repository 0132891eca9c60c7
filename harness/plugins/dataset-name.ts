/** What a dataset is called on the command line: `plugin`, `plugin/variant`, either with `:label`. */
import type { DatasetPlugin } from '../contracts.js';
import { BenchError } from '../errors.js';

export interface DatasetName {
  /** The plug-in's file. */
  file: string;
  /** What follows the slash. */
  variant?: string;
  /** What follows the colon: the user's own name of a collection in a folder, `mine` of `beir:mine`. */
  label?: string;
  /** The same of a plug-in that opens addresses: `BeIR/scifact` of `hub:BeIR/scifact`. */
  address?: string;
}

export function parseDatasetName(name: string): DatasetName {
  const colon = name.indexOf(':');
  const bare = colon < 0 ? name : name.slice(0, colon);
  const label = colon < 0 ? undefined : name.slice(colon + 1);
  const slash = bare.indexOf('/');
  return {
    file: slash < 0 ? bare : bare.slice(0, slash),
    ...(slash >= 0 && { variant: bare.slice(slash + 1) }),
    ...(label !== undefined && { label }),
  };
}

/**
 * A name in which what follows the colon is what the plug-in takes it for.
 * @param parts of the name
 * @throws BenchError USAGE for a label that no collection can have, and for an address of another form
 */
export function namedBy(name: string, parts: DatasetName, address: DatasetPlugin['address']): DatasetName {
  const { label, ...others } = parts;
  if (label === undefined) return parts;
  if (address?.fits(label)) return { ...others, address: label };
  if (address !== undefined) {
    throw new BenchError('USAGE', `--dataset ${name}: '${label}' is not of the form ${address.form}.`, {
      hint: `Write --dataset ${parts.file}:${address.form}.`,
    });
  }
  if (/^[\w.-]+$/.test(label)) return parts;
  throw new BenchError('USAGE', `--dataset ${name}: '${label}' cannot be the name of a collection.`, {
    hint: 'Letters, digits, dots, dashes and underscores can: --dataset beir:mine --data DIR.',
  });
}
