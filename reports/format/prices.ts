/** What systems cost in money, as reports show it. */
import type { ReportCell, ReportPrices } from '../../harness/contracts.js';

export const pricesHead = ({ currency, queriesPerMonth }: ReportPrices): string[] => [
  'system',
  `a million queries, ${currency}`,
  `a month${queriesPerMonth === undefined ? ' of the index' : ''}, ${currency}`,
  'not in it',
];

/** A row for each system. */
export function pricesRows({ systems }: ReportPrices): string[][] {
  return systems.map(({ system, millionQueries, month, missing = '' }) => [
    system,
    amountText(millionQueries),
    amountText(month),
    missing,
  ]);
}

/** `0.00123 (0.00120 to 0.00126)` */
function amountText(cell: ReportCell | undefined): string {
  if (cell === undefined) return '–';
  const { value, interval } = cell;
  return `${amount(value)}${interval === undefined ? '' : ` (${amount(interval.low)} to ${amount(interval.high)})`}`;
}

/** Three figures; what is a thousandth of a thousandth is written as a power of ten. */
function amount(value: number): string {
  if (value === 0) return '0';
  if (value >= 1000) return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
  return value < 1e-6 ? value.toExponential(2) : value.toPrecision(3);
}

export function pricesLegend({ queriesPerMonth }: ReportPrices): string {
  const month =
    queriesPerMonth === undefined
      ? 'A month keeps the index on disk.'
      : `A month keeps the index on disk and answers ${queriesPerMonth.toLocaleString('en-US')} queries.`;
  return `By the prices given: a query takes its mean time, one at a time, on as many virtual processors as it was given threads; in brackets the 95 % interval, by bootstrap over samples. ${month} Memory, idle machines and building are not in it.`;
}
