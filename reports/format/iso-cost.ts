/** The best accuracy for a cost, as reports show it. */
import type { ReportIsoCost, ReportSection } from '../../harness/contracts.js';
import { formatNumber, pairsOf, unitOf } from './numbers.js';

const costs = {
  'passage-bytes': { unit: 'bytes', what: 'a passage' },
  'search-ms': { unit: 'ms', what: 'to search' },
  'total-ms': { unit: 'ms', what: 'from text to hits' },
} as const;

/** `512 B`, `5 ms` */
function costText(value: number, unit: 'bytes' | 'ms'): string {
  return unit === 'bytes' ? formatNumber(value, unit) : `${value} ms`;
}

export const isoCostHead = ({ measure }: ReportIsoCost): string[] => [
  'at most',
  'systems',
  'best',
  measure,
  'costs',
  'tied with it',
];

/** A row for each cost; cells are texts, names among them. */
export function isoCostRows(section: ReportSection, { measure, budgets }: ReportIsoCost): string[][] {
  const unit = unitOf(section, measure);
  return budgets.map(({ cost, limit, within, best, tied = [] }) => {
    const { unit: of, what } = costs[cost];
    const head = [`${costText(limit, of)} ${what}`, String(within)];
    if (best === undefined) return [...head, 'none', '–', '–', '–'];
    const percent = unit === 'share' ? ' %' : '';
    const spent = of === 'bytes' ? formatNumber(best.cost, of) : `${formatNumber(best.cost, of)} ms`;
    return [
      ...head,
      best.name,
      `${formatNumber(best.accuracy, unit)}${percent}`,
      spent,
      tied.length === 0 ? 'none' : tied.join(', '),
    ];
  });
}

export const isoCostLegend = ({ familySize }: ReportIsoCost): string =>
  `Bytes are those of the index without ids, over the passages; milliseconds medians of one query at a time. Tied are systems within the cost that the tests do not tell from the best (over queries, p < 0.05, corrected by Holm over ${pairsOf(familySize)}).`;
