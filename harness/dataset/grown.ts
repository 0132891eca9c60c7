/** A dataset with other passages behind its own: the same queries in a larger collection. */

import type { DataFile, Dataset, DistractorFacts, Passage } from '../contracts.js';
import { counted } from '../counted.js';

export interface GrowRequest {
  whole: Dataset;
  /** Where the distractors come from; absent where they are passages of `whole`. */
  source?: Dataset | undefined;
  /** Ids of the passages that the test queries need, where they alone are the base. */
  needed?: ReadonlySet<string> | undefined;
  /** How many there are of those. */
  neededCount?: number | undefined;
  count: number;
  /** Distractors of the largest collection that was asked for. */
  largest: number;
  /** Tells what was chosen from every other choice: what was left out depends on `whole` too. */
  chosenKey: string;
  /** Tells the source from every other: its version alone may leave its files open. */
  sourceKey: string;
  /** That chose the distractors. */
  code: object;
  leftOut: DistractorFacts['leftOut'];
  /** The distractors in their order. */
  chosen(): AsyncIterable<Passage>;
}

/** `squad + 1000 of beir/nq`; its queries, qrels and rules are those of `squad`. */
export function growDataset(request: GrowRequest): Dataset {
  const { whole, source, needed, neededCount = 0, count, largest } = request;
  const { chosenKey, sourceKey, code, leftOut, chosen } = request;
  const base: Dataset = needed === undefined ? whole : onlyNeeded(whole, needed, neededCount);
  const { name, version, files } = source ?? whole;
  const distractors: Dataset = {
    ...{ name, version: `${version}, distractors ${chosenKey}`, licence: (source ?? whole).licence },
    ...{ files, passageCount: largest, passages: chosen },
    queries: async () => [],
    qrels: async () => [],
  };
  const facts: DistractorFacts = {
    count,
    from: source === undefined ? null : { name, version, files: [...files] as DataFile[] },
    to: { name: whole.name, version: whole.version },
    basePassages: base.passageCount,
    leftOut,
  };
  const of = source === undefined ? 'its own' : name;
  return {
    ...whole,
    name: `${whole.name} + ${count} of ${of}`,
    version:
      source === undefined ? whole.version : `${whole.version} + ${version} (${sourceKey.slice(0, 8)})`,
    passageCount: base.passageCount + count,
    remarks: [...(whole.remarks ?? []), ...remarksOf(facts)],
    grown: { whole, base, distractors, count, code, facts },
    async *passages() {
      yield* base.passages();
      yield* first(chosen, count);
    },
  };
}

function onlyNeeded(whole: Dataset, needed: ReadonlySet<string>, passageCount: number): Dataset {
  return {
    ...whole,
    version: `${whole.version}, what its test queries need`,
    passageCount,
    async *passages() {
      for await (const passage of whole.passages()) if (needed.has(passage.passageId)) yield passage;
    },
  };
}

/** Opens nothing where none are wanted. */
async function* first(passages: () => AsyncIterable<Passage>, count: number): AsyncGenerator<Passage> {
  if (count === 0) return;
  let given = 0;
  for await (const passage of passages()) {
    yield passage;
    if (++given === count) return;
  }
}

function remarksOf({ count, from, to, basePassages, leftOut }: DistractorFacts): string[] {
  const say = (value: number) => value.toLocaleString('en-US');
  const behind =
    from === null
      ? `The collection is the ${counted(basePassages, 'passages')} of ${to.name} that its test queries need and ${counted(count, 'others')} of it.`
      : `${counted(count, `passages of ${from.name} stand`, `passage of ${from.name} stands`)} behind the ${say(basePassages)} of ${to.name}; no query asks for them.`;
  const { relevantIds, sameTexts } = leftOut;
  if (relevantIds + sameTexts === 0) return [behind];
  return [
    behind,
    `No distractors are ${counted(relevantIds, 'passages')} with the id of a relevant passage and ${say(sameTexts)} with the text of a passage that is there.`,
  ];
}
