/** What tells datasets and engines apart in the keys of the cache. */
import type { Dataset } from '../contracts.js';
import type { Engine } from '../tensor/engine.js';

/** What tells one state of a dataset from another. What a user calls the collection is none of it. */
export const datasetIdentity = ({ name, version, files }: Dataset) => ({
  name: name.replace(/:.*$/, ''),
  version,
  files: files.map(({ name: file, sha256 }) => ({ name: file, sha256 })),
});

/** What an engine's numbers depend on. */
export const engineIdentity = ({ name, device, versions }: Engine) => ({ name, device, versions });
