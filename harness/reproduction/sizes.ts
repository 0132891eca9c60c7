/** How large a collection is and what is trained on in it, before anything is downloaded. */
import { trainingSizes } from '../pipeline/example-sizes.js';
import { datasetHere } from '../pipeline/needs.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Grid } from './grid.js';
import { isMissing } from './missing.js';
import type { Collection } from './reproduction.js';

export type Sizes = Pick<Collection, 'passages' | 'trainingExamples' | 'trainingQueries'>;

/** Of each dataset of a grid, asked for once: a folder of millions of passages takes minutes to read. */
export class CollectionSizes {
  readonly #found = new Map<string, Promise<Sizes | null>>();

  constructor(readonly grid: Pick<Grid, 'loaded' | 'scale'>) {}

  /** What the file says of the collection, or the collection itself where it is on this machine; else null. */
  of(request: RunRequest): Promise<Sizes | null> {
    const { dataset, data } = request;
    const key = JSON.stringify([dataset, data]);
    let found = this.#found.get(key);
    if (found === undefined) {
      const known = this.grid.loaded.reproduction.collections[dataset];
      const isKnown = known !== undefined && this.grid.scale === 'paper' && data === undefined;
      found = isKnown ? Promise.resolve(known) : sizesHere(request);
      this.#found.set(key, found);
    }
    return found;
  }
}

async function sizesHere(request: RunRequest): Promise<Sizes | null> {
  const opened = (await isMissing(request)) ? null : await datasetHere(request);
  if (opened === null) return null;
  return { passages: opened.passageCount, ...(await trainingSizes(opened)) };
}
