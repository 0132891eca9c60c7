/** Which vectors win the maximum over a passage's vectors: on what is found, and on the gold passages of dev. */
import type { ReportWinners } from '../contracts.js';
import type { WinnerFacts } from '../record.js';
import type { System } from './systems.js';

const counted = (places: readonly (number | null)[]): number[] => {
  const counts: number[] = [];
  for (const place of places) if (place !== null) counts[place] = (counts[place] ?? 0) + 1;
  return counts;
};

/** How often each vector wins, by its place; undefined where the record does not say. */
const kinds: readonly { on: string; of(winners: WinnerFacts): readonly number[] | undefined }[] = [
  { on: 'all hits', of: ({ histogram }) => histogram },
  { on: 'first hits', of: ({ topHit }) => counted(topHit) },
  { on: 'first relevant hits', of: ({ gold }) => counted(gold) },
  { on: 'first hits with an answer', of: ({ answer }) => answer && counted(answer) },
  { on: 'dev gold, by qrels', of: ({ dev }) => dev?.qrels },
  { on: 'dev gold, by answers', of: ({ dev }) => dev?.answers },
];

/** A kind that some run of a system does not have is left out for it. */
export function winnersOf(systems: readonly System[]): ReportWinners[] {
  return systems.flatMap(({ name, runs }) => {
    const found = runs.flatMap(({ record }) => record.winners ?? []);
    if (found.length < runs.length) return [];
    const names = found.reduce((a, b) => (b.vectors.length > a.vectors.length ? b : a)).vectors;
    return kinds.flatMap(({ on, of }): ReportWinners[] => {
      const counts = found.map(of).filter((each) => each !== undefined);
      if (counts.length < found.length) return [];
      const vectors = names.map((vector, place) => ({
        name: vector,
        count: counts.reduce((sum, each) => sum + (each[place] ?? 0), 0),
      }));
      const total = vectors.reduce((sum, { count }) => sum + count, 0);
      return total === 0
        ? []
        : [{ system: name, on, total, vectors: vectors.filter(({ count }) => count > 0) }];
    });
  });
}
