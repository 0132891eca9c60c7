/** What was measured under load, and by processes of their own, for the terminal. */
import { type LoadedRuns, loadOf, protocolCosts } from '../comparison.js';
import { counted } from '../counted.js';
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

/** A line for each setting and system; empty where nothing was measured under load. */
export function loadTable(systems: readonly LoadedRuns[]): string {
  const load = loadOf(systems);
  if (load === undefined) return '';
  const header = ['load', 'system', 'answered/s', 'waiting ms', 'p50', 'p95', 'p99'];
  const rows = load.rows.map((row) => [
    `${row.kind === 'rate' ? `${row.setting}/s` : `${counted(row.setting, 'clients')}`}${togetherText(row.maxBatch)}`,
    row.system,
    `${figure(row.answeredPerSecond)}${row.keptUp ? '' : ' (behind)'}`,
    ...[row.waitingMs, row.p50Ms, row.p95Ms].map(figure),
    row.p99Ms === undefined ? '-' : figure(row.p99Ms),
  ]);
  const table = rows.length === 0 ? '' : renderTable(header, rows, 'llrrrrr', 2);
  const few = load.rows.find(({ p99Ms }) => p99Ms === undefined);
  const legend = [
    ...(rows.length === 0
      ? []
      : ['load: ms from when a query was to come, or was sent, to its answer: docs/protocol.md\n']),
    ...(few === undefined
      ? []
      : [`p99: not measured: ${counted(few.queries, 'samples')} (latency.loadQueries)\n`]),
  ];
  const bounds = load.bounds.map(({ system, boundMs, resolution, maxBatch, runs }) => {
    const rates = runs.map(({ found, ratePerSecond }) =>
      found === 'none' ? 'none' : `${found === 'above' ? 'above ' : ''}${figure(ratePerSecond!)}/s`,
    );
    const how = `found by search, to ${Math.round(100 * resolution)} %`;
    return `largest rate, p99 within ${boundMs} ms${togetherText(maxBatch)}: ${system} ${rates.join('; ')} (${how})\n`;
  });
  return [table, ...legend, ...bounds].join('');
}

const togetherText = (maxBatch: number): string => (maxBatch === 1 ? '' : `, up to ${maxBatch} together`);
