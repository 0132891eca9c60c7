/** The weights of the model that was opened last: one that is opened again, to be timed, is not read again. */

let last: { key: string; read: Promise<unknown> } | undefined;

/**
 * What `read` gives, or gave when it was asked for last.
 * @param key of the bytes that are read: two with one key are the same. What comes back is not to be changed
 */
export async function readOnce<T>(key: string, read: () => Promise<T>): Promise<T> {
  if (last?.key !== key) {
    // Two models at once may be more than there is memory for.
    last = undefined;
    last = { key, read: read() };
  }
  const own = last;
  try {
    return (await own.read) as T;
  } catch (error) {
    if (last === own) last = undefined;
    throw error;
  }
}

/** Lets go of it: training needs the memory. */
export function forgetRead(): void {
  last = undefined;
}
