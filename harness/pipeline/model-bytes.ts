/** What a model takes on the disk. */
import path from 'node:path';
import type { DataFile } from '../contracts.js';
import type { RunRecord } from '../record.js';
import { tokenizerFiles } from '../text/tokenizer-folder.js';

/** @param files all that encoding reads: of both encoders, where they are two */
export function modelBytes(
  files: readonly Pick<DataFile, 'name' | 'sizeBytes'>[],
): NonNullable<NonNullable<RunRecord['model']>['sizeBytes']> {
  const isTokenizer = ({ name }: Pick<DataFile, 'name'>) =>
    tokenizerFiles.some((each) => each === path.posix.basename(name));
  const sum = (some: readonly Pick<DataFile, 'sizeBytes'>[]) =>
    some.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  return {
    model: sum(files.filter((file) => !isTokenizer(file))),
    tokenizer: sum(files.filter(isTokenizer)),
  };
}
