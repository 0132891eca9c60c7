/** Times the making of an artifact. */
import { processorName } from '../program/processor.js';
import { contentNames } from './content.js';
import type { MakingConditions, Took } from './manifest.js';
import { hasUnfinished } from './unfinished.js';

/**
 * Makes it, and says how long that took.
 * @param folder in which nothing is made yet, unless an attempt before this one was stopped
 * @param conditions undefined where nobody asks
 */
export async function timed<T>(
  folder: string,
  conditions: MakingConditions | undefined,
  make: () => Promise<T>,
): Promise<{ result: T; took?: Took }> {
  if (conditions === undefined) return { result: await make() };
  const { threads, inPieces } = conditions;
  const wasBegun = (await contentNames(folder)).length > 0 || (await hasUnfinished(folder));
  const started = performance.now();
  const result = await make();
  const seconds = (performance.now() - started) / 1000;
  const on = { cpu: processorName(), threads };
  const parted = (how: string) => ({
    result,
    took: { seconds: null, reason: `it was made in ${how}`, ...on },
  });
  if (inPieces) return parted('pieces, by several workers');
  return wasBegun ? parted('several attempts') : { result, took: { seconds, ...on } };
}
