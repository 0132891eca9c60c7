/** What goes wrong on the way to a server, and whether another attempt may do better. */
import { longestRetryAfterMs, retryAfterMs } from './retry-after.js';

/** Why an attempt failed. */
export class TransferError extends Error {
  override name = 'TransferError';

  /**
   * @param again whether another attempt could do better
   * @param afterMs how long the server asks to be left alone before it
   */
  constructor(
    message: string,
    readonly again: boolean,
    cause?: unknown,
    readonly afterMs?: number,
  ) {
    super(message, { cause });
  }
}

/** Whether a server that answered so may answer otherwise later. */
export const mayPass = (status: number): boolean =>
  status >= 500 || status === 408 || status === 425 || status === 429;

/** A server that answered, but did not give the file. */
export function refusal({ status, statusText, headers }: Response): TransferError {
  const afterMs = retryAfterMs(headers);
  const asks =
    afterMs === undefined ? '' : ` and asks to be left alone for ${Math.ceil(afterMs / 1000)} seconds`;
  const isPatient = afterMs === undefined || afterMs <= longestRetryAfterMs;
  const message = `the server answered ${`${status} ${statusText}`.trimEnd()}${asks}`;
  return new TransferError(message, mayPass(status) && isPatient, undefined, afterMs);
}

/** Node's fetch says only "fetch failed" or "terminated" and keeps the reason in the cause. */
export function asTransferError(error: unknown): unknown {
  if (!(error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message))) return error;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  // No memory for what reads the answers, which no further attempt changes.
  if (cause instanceof RangeError) return cause;
  const reason =
    cause?.code === undefined ? (cause?.message ?? error.message) : `${error.message}, ${cause.code}`;
  return new TransferError(`the connection failed (${reason})`, true, error);
}
