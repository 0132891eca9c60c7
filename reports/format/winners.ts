/** Which vectors win, in words. */
import type { ReportWinners } from '../../harness/contracts.js';

/** Vectors named of each line: ColBERT has as many as a passage has tokens. */
const shown = 4;

/** `layer 12 8,701 (99.3 %), layer 8 59 (0.7 %)`, the most frequent first; `all` where one always wins. */
export function winningVectors({ vectors, total }: ReportWinners): string {
  const ordered = vectors.toSorted((a, b) => b.count - a.count);
  const share = (count: number) =>
    count === total ? 'all' : `${count.toLocaleString('en-US')}, ${percent(count / total)}`;
  const named = ordered.slice(0, shown).map(({ name, count }) => `${name} (${share(count)})`);
  const others = ordered.slice(shown);
  if (others.length === 0) return named.join(', ');
  const rest = others.reduce((sum, { count }) => sum + count, 0);
  return `${named.join(', ')}, ${others.length} others (${share(rest)})`;
}

/** What is not all must not look like it. */
function percent(share: number): string {
  if (share > 0.999) return '>99.9 %';
  return share < 0.001 ? '<0.1 %' : `${(100 * share).toFixed(1)} %`;
}

/** What the lines are of. */
export const winnersLegend =
  'A passage scores what the best of its vectors scores. Over hits of the split reported; dev gold: the passage that is judged relevant (of several the first), and the best-scoring of the relevant passages that hold an answer.';
