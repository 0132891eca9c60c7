/** What `bench power` prints. */
import type { PairPower, QueryPower } from '../comparison.js';
import { noteLines } from './lines.js';
import { renderTable } from './table.js';

export interface PowerQuestion {
  difference?: number;
  power: number;
  /** Corrected together. */
  tests: number;
  /** Of all of them together. */
  level: number;
}

const percent = (share: number) => `${Number((100 * share).toFixed(1))} %`;

function headings({ difference, power }: PowerQuestion): string[] {
  const asked = difference === undefined ? [] : [`power for ${difference}`, `queries for ${difference}`];
  return ['queries', 'spread', `smallest at ${percent(power)}`, ...asked];
}

function cells({ spread, queries, smallest, wanted }: QueryPower): string[] {
  const shown =
    spread.test === 'paired t'
      ? `deviation ${spread.deviation.toFixed(4)}`
      : `${percent(spread.discordant)} change`;
  const asked =
    wanted === undefined
      ? []
      : [
          wanted.power === undefined ? '-' : percent(wanted.power),
          wanted.queriesNeeded === undefined ? 'over 1e9' : counted(wanted.queriesNeeded),
        ];
  const least = queries === undefined ? '-' : smallest === undefined ? 'none' : smallest.toFixed(4);
  return [queries === undefined ? '-' : counted(queries), shown, least, ...asked];
}

const counted = (count: number) => count.toLocaleString('en-US');

export function powerTable(found: QueryPower, question: PowerQuestion): string {
  const header = ['test', ...headings(question)];
  const table = renderTable(header, [[found.spread.test, ...cells(found)]], `l${'r'.repeat(5)}`, 1);
  return `${table}${notesOf([found], question)}`;
}

export function powerTableOfRecords(found: readonly PairPower[], question: PowerQuestion): string {
  const header = ['system', 'measure', 'test', ...headings(question)];
  const rows = found.map(({ candidate, measure, queries, power }) => [
    candidate,
    measure,
    ...(power === undefined
      ? ['-', counted(queries), 'none known', '-', '-', '-']
      : [power.spread.test, ...cells(power)]),
  ]);
  const table = renderTable(
    header,
    rows.map((row) => row.slice(0, header.length)),
    `lll${'r'.repeat(5)}`,
    2,
  );
  const powers = found.flatMap(({ power }) => power ?? []);
  const unknown = found.filter(({ power }) => power === undefined);
  const notes = [
    `paired with ${found[0]!.baseline}${found[0]!.seeds > 1 ? `, each query with its mean over ${found[0]!.seeds} seeds` : ''}`,
    ...(unknown.length === 0
      ? []
      : [
          `${unknown.map(({ candidate, measure }) => `${candidate} ${measure}`).join(', ')}: the two differ on no query, or on all by the same, so nothing is known of the spread`,
        ]),
  ];
  return `${table}${noteLines(notes)}${notesOf(powers, question)}`;
}

function notesOf(powers: readonly QueryPower[], { level, tests, power }: PowerQuestion): string {
  const of =
    tests === 1
      ? `a two-sided test at ${level}`
      : `a two-sided test at ${level} / ${tests} (Holm's first step)`;
  const none = powers.some(({ queries, smallest }) => queries !== undefined && smallest === undefined);
  const notes = [
    `the smallest true difference that ${of} finds so often, on other queries like these`,
    ...(none
      ? [
          `none: so few queries change that the test would not find it in ${percent(power)} of such sets, were all of them won by one system`,
        ]
      : []),
  ];
  return noteLines(notes);
}
