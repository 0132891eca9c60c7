/** The passages that a collection grows by, as they lie in the cache. */
import path from 'node:path';
import { readPassageFile } from '../../../harness/pipeline/distractors/passage-file.js';
import { type Loader, UnfitResult } from '../loader.js';
import { texts } from '../valid-files.js';

const passages = [
  { passageId: 'made/p1', title: 'A title', text: 'Of some words.' },
  { passageId: 'made/p2', title: '', text: 'Über 1,5 „Zoll“\t\\u0000' },
];

const loaders: readonly Loader[] = [
  {
    name: 'distractor-passages',
    inputs: () => [texts({ passages: passages.map((each) => `${JSON.stringify(each)}\n`).join('') })],
    codes: ['CACHE_INVALID', 'PATH_INVALID'],
    async load(folder) {
      for await (const { passageId, title, text } of readPassageFile(path.join(folder, 'passages')))
        for (const value of [passageId, title, text])
          if (typeof value !== 'string') throw new UnfitResult(`${typeof value} for a text`);
    },
  },
];
export default loaders;
