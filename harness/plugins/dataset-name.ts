/** What a dataset is called on the command line: `plugin`, `plugin/variant`, either with `:label`. */
import { BenchError } from '../errors.js';

export interface DatasetName {
  /** The plug-in's file. */
  file: string;
  /** What follows the slash. */
  variant?: string;
  /** What follows the colon: the user's own name of a collection in a folder, `mine` of `beir:mine`. */
  label?: string;
}

/** @throws BenchError USAGE for a label that none can have */
export function parseDatasetName(name: string): DatasetName {
  const colon = name.indexOf(':');
  const bare = colon < 0 ? name : name.slice(0, colon);
  const label = colon < 0 ? undefined : name.slice(colon + 1);
  if (label !== undefined && !/^[\w.-]+$/.test(label)) {
    throw new BenchError('USAGE', `--dataset ${name}: '${label}' cannot be the name of a collection.`, {
      hint: 'Letters, digits, dots, dashes and underscores can: --dataset beir:mine --data DIR.',
    });
  }
  const slash = bare.indexOf('/');
  return {
    file: slash < 0 ? bare : bare.slice(0, slash),
    ...(slash >= 0 && { variant: bare.slice(slash + 1) }),
    ...(label !== undefined && { label }),
  };
}
