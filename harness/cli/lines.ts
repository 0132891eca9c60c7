/** Lines and figures as commands print them. */

export const lined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

export const noteLines = (notes: readonly string[]): string => lined(notes.map((note) => `note: ${note}`));

/** As many digits as a reader needs of milliseconds, or of a rate. */
export const figure = (value: number): string => value.toFixed(value < 1 ? 2 : value < 100 ? 1 : 0);

/** A p-value; `-` where no test could judge. */
export function probability(p: number | undefined): string {
  if (p === undefined) return '-';
  return p < 0.0001 ? '<0.0001' : p.toFixed(4);
}
