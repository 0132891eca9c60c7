/** The texts of some passages, found in one reading of the collection. */
import type { Dataset, Passage } from '../contracts.js';

/** @returns those that the collection has */
export async function passageTexts(
  dataset: Dataset,
  passageIds: ReadonlySet<string>,
): Promise<Map<string, Passage>> {
  const found = new Map<string, Passage>();
  if (passageIds.size === 0) return found;
  for await (const passage of dataset.passages()) {
    if (!passageIds.has(passage.passageId)) continue;
    found.set(passage.passageId, passage);
    if (found.size === passageIds.size) break;
  }
  return found;
}
