/** What processes of their own have told, for the terminal. */
import { type LoadedRuns, protocolCosts } from '../comparison.js';
import { figure } from './lines.js';
import { renderTable } from './table.js';

/** A line for each system, in milliseconds; empty where none was timed in a process of its own. */
export function protocolTable(systems: readonly LoadedRuns[]): string {
  const rows = systems.map(({ name, records }) => {
    const system = { name, runs: records.map((record) => ({ file: '', record })) };
    return { name, cells: protocolCosts.map(({ of }) => of(system)?.value) };
  });
  const used = protocolCosts.flatMap((column, c) =>
    rows.some(({ cells }) => cells[c] !== undefined) ? [{ column, c }] : [],
  );
  if (used.length === 0) return '';
  return renderTable(
    ['ms', ...used.map(({ column }) => column.label)],
    rows.map(({ name, cells }) => [
      name,
      ...used.map(({ c }) => (cells[c] === undefined ? '-' : figure(cells[c]))),
    ]),
    `l${'r'.repeat(used.length)}`,
    1,
  );
}
