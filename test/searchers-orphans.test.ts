/** The processes in which indexes are built and tried end with whoever started them. */
import { test } from 'node:test';
import { assertEndsAlone } from './orphans.js';

const order = JSON.stringify({ files: ['none'], folder: 'none' });

for (const module of ['faiss/trial-process', 'faiss/build-process', 'usearch/build-process'])
  test(module, () => assertEndsAlone(`searchers/${module}`, order));
