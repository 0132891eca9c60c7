/** The passages, with or without the titles of RocketQA's copy. */
import type { Passage } from '../../harness/contracts.js';
import { BenchError } from '../../harness/errors.js';
import type { PlacedId } from '../../harness/interchange/inspection.js';
import type { TextStart } from '../../harness/interchange/text-blocks.js';
import { type IdentifiedText, tabLines } from '../collection/tab-lines.js';

export type PlacedPassage = Passage & PlacedId;

/**
 * @param from where to begin in the file of passages, which goes without titles alone
 * @param titles a file of `id<TAB>title` in the order of the passages, which may leave some out
 * @throws BenchError DATA_INVALID where a title's passage does not come, or came before
 */
export async function* passagesOf(
  file: string,
  titles: string | undefined,
  from?: TextStart,
): AsyncGenerator<PlacedPassage> {
  const iterator = titles === undefined ? undefined : tabLines(titles);
  try {
    let next = await take(iterator);
    for await (const { id, text, line, start } of tabLines(file, from)) {
      let title = '';
      if (next?.id === id) {
        title = next.text;
        next = await take(iterator);
      }
      yield { passageId: id, title, text, place: line, start: titles === undefined ? start : undefined };
    }
    if (next !== undefined) {
      throw new BenchError(
        'DATA_INVALID',
        `${titles}, line ${next.line}: the passage '${next.id}' does not come in ${file} after the ones before it.`,
        {
          hint: 'Titles have to stand in the order of the passages; are the two files of one release?',
        },
      );
    }
  } finally {
    await iterator?.return(undefined);
  }
}

async function take(
  iterator: AsyncGenerator<IdentifiedText> | undefined,
): Promise<IdentifiedText | undefined> {
  const result = await iterator?.next();
  return result?.done === false ? result.value : undefined;
}
