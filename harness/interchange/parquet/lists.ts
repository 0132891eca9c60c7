/** Rows of a column of lists of numbers, put together from its pages: a row may go on in the next page. */
import { ParquetFault } from './fault.js';
import type { Page } from './page.js';

/** Numbers in a list: more than vectors have. */
const longestList = 1 << 16;

/**
 * @param rows as many as the row group says it has
 * @returns the rows that a page ends, page by page; null for one without numbers
 * @throws ParquetFault for a list in which a number is absent, one that is too long, and more rows than were said
 */
export async function* rowsOfLists(
  name: string,
  rows: number,
  pages: AsyncIterable<Page>,
): AsyncGenerator<(Float32Array | null)[]> {
  let list: (number | null)[] | undefined;
  let ended = 0;
  const end = (): Float32Array | null => {
    const numbers = list!;
    if (++ended > rows) throw new ParquetFault(`column ${name} has more than its ${rows} rows`);
    if (numbers.length === 1 && numbers[0] === null) return null;
    const absent = numbers.indexOf(null);
    if (absent >= 0)
      throw new ParquetFault(
        `column ${name}, row ${ended} of a row group: number ${absent + 1} of its list is absent`,
      );
    return Float32Array.from(numbers as number[]);
  };
  for await (const { values, repetitions } of pages) {
    const done: (Float32Array | null)[] = [];
    for (const [i, value] of values.entries()) {
      if (repetitions?.[i] === 0) {
        if (list !== undefined) done.push(end());
        list = [];
      }
      if (list === undefined) throw new ParquetFault(`column ${name} goes on with a row that has not begun`);
      if (list.length === longestList)
        throw new ParquetFault(`column ${name} has a list of more than ${longestList} numbers`);
      list.push(value as number | null);
    }
    if (done.length > 0) yield done;
  }
  if (list !== undefined) yield [end()];
}
