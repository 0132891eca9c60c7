/** Work with something that is open, which is closed behind it. */

/** What has to be let go of. */
type Opened = { close(): unknown } | { dispose(): unknown };

const close = (opened: Opened): unknown => ('close' in opened ? opened.close() : opened.dispose());

/** What `work` gives; the thing is closed behind it, where it fails too. */
export async function closing<T extends Opened, Result>(
  opened: T,
  work: (opened: T) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(opened);
  } finally {
    await close(opened);
  }
}

/** What `work` gives, which keeps the thing open; it is closed where `work` fails. */
export async function closingOnFailure<T extends Opened, Result>(
  opened: T,
  work: (opened: T) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(opened);
  } catch (error) {
    await close(opened);
    throw error;
  }
}
