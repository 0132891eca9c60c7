/** Work with something that is open, which is closed behind it. */

/** What has to be let go of. */
type Opened = { close(): unknown } | { dispose(): unknown };

const close = (opened: Opened): unknown => ('close' in opened ? opened.close() : opened.dispose());

/** What `work` gives; the thing is closed behind it, where it fails too. @throws what `work` throws, whatever closing comes to then */
export async function closing<T extends Opened, Result>(
  opened: T,
  work: (opened: T) => Promise<Result>,
): Promise<Result> {
  const result = await closingOnFailure(opened, work);
  await close(opened);
  return result;
}

/** What `work` gives, which keeps the thing open; it is closed where `work` fails. @throws as `closing` */
export async function closingOnFailure<T extends Opened, Result>(
  opened: T,
  work: (opened: T) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(opened);
  } catch (error) {
    try {
      await close(opened);
    } catch {
      // It follows from the first error, or is of less use.
    }
    throw error;
  }
}
