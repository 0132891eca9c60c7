/** Text in columns for the terminal. */
import { printableName } from '../printable.js';

/** Terminals and mails are at least this wide. */
const widest = 100;

/**
 * Rows under a header, columns as wide as they need to be. What is wider than 100 letters goes on below, in another
 * block that begins with the same columns.
 * @param alignment one letter per column: `l` left, `r` right
 * @param repeated how many columns every block begins with
 */
export function renderTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  alignment: string,
  repeated: number,
): string {
  const all = [header, ...rows].map((row) => row.map(printableName));
  const widths = header.map((_, column) =>
    all.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), 0),
  );
  const lineWidth = (columns: readonly number[]) =>
    columns.reduce((sum, column) => sum + widths[column]! + 2, -2);
  const first = widths.slice(0, repeated).map((_, column) => column);
  const blocks: number[][] = [];
  for (let column = repeated; column < header.length; column++) {
    const block = blocks.at(-1);
    if (block !== undefined && lineWidth([...block, column]) <= widest) block.push(column);
    else blocks.push([...first, column]);
  }
  return blocks.map((columns) => renderBlock(all, columns, widths, alignment)).join('\n');
}

function renderBlock(
  [header = [], ...rows]: readonly (readonly string[])[],
  columns: readonly number[],
  widths: readonly number[],
  alignment: string,
): string {
  const line = (row: readonly string[]) =>
    columns
      .map((column) => {
        const cell = row[column] ?? '';
        return alignment[column] === 'r' ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
      })
      .join('  ')
      .trimEnd();
  const rule = columns.map((column) => '-'.repeat(widths[column]!)).join('  ');
  return [line(header), rule, ...rows.map(line)].map((text) => `${text}\n`).join('');
}

/** Names with a line about each. */
export function renderList(items: readonly { name: string; summary: string }[]): string {
  const safe = items.map(({ name, summary }) => ({
    name: printableName(name),
    summary: printableName(summary),
  }));
  const width = safe.reduce((widest, { name }) => Math.max(widest, name.length), 0);
  return safe.map(({ name, summary }) => `${`${name.padEnd(width)}  ${summary}`.trimEnd()}\n`).join('');
}
