/** A first look through a collection: how many passages it has, ids that come twice, judged ids that it lacks. */
import { BenchError } from '../errors.js';
import { hashOf, repeatedIn } from './identifier-hashes.js';
import { assertWritable } from './identifiers.js';
import type { TextStart } from './text-blocks.js';

/** A passage's id and the place it was read from, `corpus.jsonl, line 7`. */
export interface PlacedId {
  passageId: string;
  place: string | number;
  /** Where reading can begin with it; absent of most. */
  start?: TextStart | undefined;
}

/** Where a passage stands in a plain file. */
export interface PassageStart extends TextStart {
  /** Its place in the collection, from 0. */
  ordinal: number;
}

export interface Inspection {
  passageCount: number;
  /** Of the ids asked for, those that no passage has. */
  absent: string[];
  /** In their order, about one a MiB; none of what is packed or lies in several files. */
  starts: PassageStart[];
}

/**
 * Reads the collection once, and once more where two ids look the same. Keeps 8 bytes per passage.
 * @param ids starts from the beginning at every call
 * @param asked ids that are looked for
 * @param where names a place for errors
 * @throws BenchError DATA_INVALID where two passages have one id, naming both places; where no run file could hold an id
 */
export async function inspect(
  ids: () => AsyncIterable<PlacedId>,
  asked: ReadonlySet<string>,
  where: (place: PlacedId['place']) => string,
): Promise<Inspection> {
  let hashes = new Float64Array(1 << 12);
  let passageCount = 0;
  const found = new Set<string>();
  const starts: PassageStart[] = [];
  for await (const { passageId, place, start } of ids()) {
    if (start !== undefined) starts.push({ ordinal: passageCount, ...start });
    assertWritable(passageId, () => `${where(place)}: the passage id`);
    if (passageCount === hashes.length) {
      const larger = new Float64Array(hashes.length * 2);
      larger.set(hashes);
      hashes = larger;
    }
    hashes[passageCount++] = hashOf(passageId);
    if (asked.has(passageId)) found.add(passageId);
  }
  const suspects = repeatedIn(hashes.subarray(0, passageCount));
  if (suspects.size > 0) await refuseTwins(ids, suspects, where);
  return { passageCount, absent: [...asked].filter((id) => !found.has(id)), starts };
}

async function refuseTwins(
  ids: () => AsyncIterable<PlacedId>,
  suspects: ReadonlySet<number>,
  where: (place: PlacedId['place']) => string,
): Promise<void> {
  const first = new Map<string, PlacedId['place']>();
  for await (const { passageId, place } of ids()) {
    if (!suspects.has(hashOf(passageId))) continue;
    const earlier = first.get(passageId);
    if (earlier !== undefined) {
      throw new BenchError(
        'DATA_INVALID',
        `Two passages have the id '${passageId}': ${where(earlier)} and ${where(place)}.`,
        { hint: 'Every passage needs an id of its own: remove one of them, or rename it.' },
      );
    }
    first.set(passageId, place);
  }
}
