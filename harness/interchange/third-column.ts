/** What the third of three columns holds: tevatron writes a score there, MS MARCO a rank. Nothing in the file says which. */

export type ThirdColumn = 'score' | 'rank';

/**
 * What the numbers of a run can be, each list those of one query in the order of the file. `rank`: 1 to n within each query,
 * ascending. `score`: they cannot be ranks. `either`: whole numbers that a system may have given as ranks or as scores.
 * A query of one hit says nothing: its ranking is the same both ways.
 */
export function kindOfNumbers(queries: Iterable<readonly number[]>): ThirdColumn | 'either' {
  const seen = new Set<ThirdColumn | 'either'>();
  for (const numbers of queries) {
    if (numbers.length === 0 || (numbers.length === 1 && isWhole(numbers[0]!))) continue;
    seen.add(kindOfQuery(numbers));
  }
  if (seen.size === 1) return [...seen][0]!;
  if (seen.size === 0) return 'score';
  // Where one query's are ranks to the letter, it is not for another's to say that they are scores.
  return seen.has('score') && !seen.has('rank') ? 'score' : 'either';
}

function kindOfQuery(numbers: readonly number[]): ThirdColumn | 'either' {
  if (!numbers.every(isWhole)) return 'score';
  // A set of millions takes far longer than to sort them.
  const sorted = Float64Array.from(numbers).sort();
  if (sorted.some((number, i) => i > 0 && number === sorted[i - 1])) return 'score';
  if (numbers.every((number, i) => number === i + 1)) return 'rank';
  const ascends = numbers.every((number, i) => i === 0 || number > numbers[i - 1]!);
  const counted = sorted[0]! <= 1 && sorted.every((number, i) => number === sorted[0]! + i);
  return ascends || counted ? 'either' : 'score';
}

const isWhole = (number: number): boolean => Number.isInteger(number) && number >= 0;
