/** What goes wrong on the way to a server, and whether and when another attempt may do better. */

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

/** A server that wants more patience than this is told of instead of waited for. */
export const longestRetryAfterMs = 120_000;

/** What `Retry-After` says, in milliseconds from now; undefined where it is absent or says nothing that can be read. */
export function retryAfterMs(headers: Headers, nowMs: number = Date.now()): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const atMs = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
