/** Files of FAISS that a user brings are read and searched once in a process of their own before this one reads them. */
import { fork } from 'node:child_process';
import { BenchError } from '../../errors.js';
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
  const stop = () => child.kill('SIGKILL');
  progress.signal.addEventListener('abort', stop, { once: true });
  if (progress.signal.aborted) stop();
  let last: TrialMessage | undefined;
  let said = '';
  child.on('message', (message) => {
    last = message as TrialMessage;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-1000);
  });
  const ended = await new Promise<string>((resolve, reject) => {
    child.once('error', reject).once('close', (code, by) => resolve(by ?? `exit code ${code}`));
  });
  progress.signal.removeEventListener('abort', stop);
  progress.checkInterrupted();
  if (last?.state === 'sound') return;
  const [file, what] =
    last?.state === 'refused'
      ? [last.file, last.what]
      : [last?.file ?? files[0], `ends the process in which FAISS reads it: ${ended}, ${lastLine(said)}`];
  throw new BenchError('DATA_INVALID', `${file} ${what}.`, {
    hint: 'Make the index again with bench encode, or search it with --searcher exact.',
  });
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) || 'without a word';
