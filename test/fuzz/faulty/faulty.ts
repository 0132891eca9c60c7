/** Loaders with every kind of fault, for the tests of the watch. */
import { existsSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BenchError } from '../../../harness/errors.js';
import { type Loader, UnfitResult } from '../loader.js';

const faulty = (name: string, fault: (folder: string) => Promise<void> | void): Loader => ({
  name,
  inputs: () => [{ input: Buffer.from('input') }],
  codes: ['DATA_INVALID'],
  load: async (folder) => fault(folder),
});
const held: unknown[] = [];

const loaders: readonly Loader[] = [
  faulty('sound', () => {
    throw new BenchError('DATA_INVALID', 'refused as it should be');
  }),
  faulty('error', (folder) => {
    // Not at every input: the others go on.
    if (existsSync(path.join(folder, 'input'))) throw new TypeError('not one of ours');
  }),
  faulty('later', () => {
    setImmediate(() => {
      throw new TypeError('where nobody waits for it');
    });
  }),
  faulty('code', () => {
    throw new BenchError('CACHE_INVALID', 'of another kind');
  }),
  faulty('result', () => {
    throw new UnfitResult('not finite');
  }),
  faulty('hang', () => {
    for (;;);
  }),
  faulty('death', () => {
    process.kill(process.pid, 'SIGSEGV');
  }),
  faulty('heap', () => {
    for (;;) held.push(new Array(1000).fill(held.length));
  }),
  faulty('memory', () => {
    held.push(Buffer.alloc(600 << 20, 1));
  }),
  faulty('outside', (folder) => writeFileSync(path.join(folder, '../../../escaped'), '')),
  faulty('elsewhere', () => writeFileSync('/strata-escaped', '')),
  faulty('beside', (folder) => writeFileSync(path.join(folder, 'more'), '')),
  faulty('open files', (folder) => {
    for (let i = 0; i < 20; i++) held.push(openSync(folder, 'r'));
  }),
];

export default loaders;
