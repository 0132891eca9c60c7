/** Where a stage that finds hard negatives leaves them. */
import path from 'node:path';

export const negativesFile = (folder: string): string => path.join(folder, 'negatives.tsv.gz');
