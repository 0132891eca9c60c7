/** A process that does one piece of work for this one, and what has come of it once it has ended. */
import type { ChildProcess } from 'node:child_process';

export interface ProcessEnd<Message> {
  /** What it said last by a message; absent where it said nothing. */
  readonly last?: Message;
  /** `exit code 1`, `SIGKILL`. */
  readonly ended: string;
  /** The end of what it wrote on its outputs, as far as these are piped. */
  readonly said: string;
  /** The last line of that. */
  readonly words: string;
}

/** Of what a process wrote, so much is kept. */
const keptCharacters = 10_000;

/**
 * Waits until a process ends.
 * @param child has a channel for messages
 * @param order is sent to it, where it is told what to do by a message
 * @param signal kills it
 */
export async function endOf<Message>(
  child: ChildProcess,
  {
    signal,
    order,
    onMessage,
  }: { signal?: AbortSignal; order?: object; onMessage?: (message: Message) => void } = {},
): Promise<ProcessEnd<Message>> {
  const stop = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  let last: Message | undefined;
  let said = '';
  child.on('message', (message) => {
    last = message as Message;
    onMessage?.(last);
  });
  for (const output of [child.stdout, child.stderr]) {
    output?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-keptCharacters);
    });
  }
  // One that is gone already says so by its end.
  if (order !== undefined) child.send(order, () => undefined);
  try {
    const ended = await new Promise<string>((resolve) => {
      // One that could not be started has ended, too.
      child
        .once('error', ({ message }) => resolve(message))
        .once('close', (code, by) => resolve(by ?? `exit code ${code}`));
    });
    const words = said.trim().split('\n').at(-1) || 'without a word';
    return { ...(last !== undefined && { last }), ended, said, words };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/**
 * The side of the process: it does the work that a message orders, says by another what came of it, and ends; with the process
 * that began it, too, since nobody asks any more.
 */
export function workAsOrdered<Order, Message>(work: (order: Order) => Promise<Message>): void {
  // Whoever started it says when it ends: Ctrl-C comes to both.
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit(1));
  process.once('message', async (order) => {
    process.send!(await work(order as Order), () => process.exit(0));
  });
}
