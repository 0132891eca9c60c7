/** Files of FAISS that a user brings are read and searched once in a process of their own before this one reads them. */
import { fork } from 'node:child_process';
import { BenchError } from '../../errors.js';
import { endOf } from '../../program/own-process.js';
import type { Progress } from '../../progress.js';
import type { TrialMessage, TrialOrder } from './trial-process.js';

/**
 * @param files shards of an index
 * @throws BenchError DATA_INVALID naming the file that FAISS refuses, or that ends the process that reads it; INTERRUPTED
 */
export async function tryShards(files: readonly string[], progress: Progress): Promise<void> {
  const order: TrialOrder = { files };
  const child = fork(new URL('./trial-process.js', import.meta.url), [JSON.stringify(order)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const { last, ended, words } = await endOf<TrialMessage>(child, { signal: progress.signal });
  progress.checkInterrupted();
  if (last?.state === 'sound') return;
  const [file, what] =
    last?.state === 'refused'
      ? [last.file, last.what]
      : [last?.file ?? files[0], `ends the process in which FAISS reads it: ${ended}, ${words}`];
  throw new BenchError('DATA_INVALID', `${file} ${what}.`, {
    hint: 'Make the index again with bench encode, or search it with --searcher exact.',
  });
}
