/** Which pieces of variables one element-wise program goes over. */
import type { Engine, Variable, VariableSet } from '../tensor/engine.js';

/** Of one program on a device: what it gives lies there beside what it is given. */
const groupElements = 1 << 25;

/**
 * The pieces of variables `first` up to `end` in groups, each for one program: every run on a device waits for it, longer than
 * most pieces take. Of every other engine each piece is a group: a sum over all of them would round otherwise.
 * Two sets made from the same sizes give groups that match.
 */
export function pieceGroups(
  { largestArrayBytes }: Pick<Engine, 'largestArrayBytes'>,
  set: VariableSet,
  first: number,
  end: number,
): readonly (readonly Variable[])[] {
  const pieces = set.pieces(first, end);
  if (largestArrayBytes === undefined) return pieces.map((piece) => [piece]);
  const groups: Variable[][] = [];
  let elements = Number.POSITIVE_INFINITY;
  for (const piece of pieces) {
    if (elements + piece.size > groupElements) {
      groups.push([]);
      elements = 0;
    }
    groups.at(-1)!.push(piece);
    elements += piece.size;
  }
  return groups;
}

/** By which programs of groups are told apart: the size of each piece. */
export const groupKey = (group: readonly Variable[]): string => group.map(({ size }) => size).join(',');
