/** How long a server asks to be left alone, https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */

/** A server that wants more patience than this is told of instead of waited for. */
export const longestRetryAfterMs = 120_000;

/** What `Retry-After` says, in milliseconds from now; undefined where it is absent or says nothing that can be read. */
export function retryAfterMs(headers: Headers, nowMs: number = Date.now()): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const atMs = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
