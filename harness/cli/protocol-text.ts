/** What processes of their own have told, for the terminal. */
import { type LoadedRuns, protocolCosts } from '../comparison.js';
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
    rows.map(({ name, cells }) => [name, ...used.map(({ c }) => figure(cells[c]))]),
    `l${'r'.repeat(used.length)}`,
    1,
  );
}

const figure = (ms: number | undefined): string =>
  ms === undefined ? '-' : ms.toFixed(ms < 1 ? 2 : ms < 100 ? 1 : 0);
