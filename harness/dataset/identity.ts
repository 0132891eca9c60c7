/** What tells one state of a dataset from another. */
import type { Dataset, GrownDataset } from '../contracts.js';

/** The name that a user gives the collection is no part of it. */
export const datasetIdentity = ({ name, version, files, grown }: Dataset): object => ({
  name: (grown?.whole.name ?? name).replace(/:.*$/, ''),
  version,
  files: contentsOf(files),
  ...(grown && { distractors: identityOfAdded(grown) }),
});

const contentsOf = (files: Dataset['files']) => files.map(({ name, sha256 }) => ({ name, sha256 }));

function identityOfAdded({ count, facts: { from } }: GrownDataset): object {
  const { name, version, files } = from ?? { name: null, version: null, files: [] };
  return { count, name: name?.replace(/:.*$/, '') ?? null, version, files: contentsOf(files) };
}
