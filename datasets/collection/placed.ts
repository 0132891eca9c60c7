/** Passages of a plain file, read from wherever one is wanted. */
import type { Passage, PassageStream } from '../../harness/contracts.js';
import type { PassageStart, PlacedId } from '../../harness/interchange/inspection.js';

type Placed = Passage & PlacedId;

/**
 * @param read gives them from the beginning, or from a start on
 * @param starts as an inspection has found them
 * @param at absent where there is no table of their places
 */
export function placedPassages(
  read: (from?: PassageStart) => AsyncIterable<Placed>,
  starts: readonly PassageStart[],
  at?: PassageStream['at'],
): PassageStream {
  return {
    [Symbol.asyncIterator]: () => passages(read(), 0),
    ...(starts.length > 0 && {
      from(ordinal: number) {
        const start = starts.findLast((each) => each.ordinal <= ordinal);
        return passages(read(start), ordinal - (start?.ordinal ?? 0));
      },
    }),
    ...(at && { at }),
  };
}

/** @param passed over, of the first */
async function* passages(placed: AsyncIterable<Placed>, passed: number): AsyncGenerator<Passage> {
  let left = passed;
  for await (const { passageId, title, text } of placed) if (left-- <= 0) yield { passageId, title, text };
}
