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
  const distinct = new Set(numbers);
  if (!numbers.every(isWhole) || distinct.size < numbers.length) return 'score';
  if (numbers.every((number, i) => number === i + 1)) return 'rank';
  const ascends = numbers.every((number, i) => i === 0 || number > numbers[i - 1]!);
  const counted = [0, 1].some((first) => numbers.every((_, i) => distinct.has(first + i)));
  return ascends || counted ? 'either' : 'score';
}

const isWhole = (number: number): boolean => Number.isInteger(number) && number >= 0;
