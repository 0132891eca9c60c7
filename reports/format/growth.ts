/** Systems in collections that grow, as reports show them. */
import type { ReportColumn, ReportGrowingSystem, ReportGrowth } from '../../harness/contracts.js';
import { formatCell, formatInterval, formatNumber, headingOf, showsInterval } from './numbers.js';

export const growthHeading = 'As the collection grows';

/** `squad, test, with passages of beir/nq` */
export const growthSubject = ({ dataset, from }: ReportGrowth): string =>
  `${dataset.name}, ${dataset.split}, with passages of ${from ?? 'its own'}`;

export const growthHead = ({ columns }: ReportGrowth): string[] => [
  'system',
  'passages',
  '',
  ...columns.map(headingOf),
];

/** The sizes that were measured, then what nobody measured; cells are texts, names among them. */
export const growthRows = ({ systems, columns }: ReportGrowth): string[][] =>
  systems.flatMap((grown) => [
    ...grown.points.map(({ passages, cells }) => [
      grown.system,
      passages.toLocaleString('en-US'),
      'measured',
      ...columns.map((column) => {
        const cell = cells[column.id];
        if (cell === undefined) return '–';
        const interval = showsInterval(cell, column)
          ? ` (${formatInterval(cell.interval!, column.unit)})`
          : '';
        return `${formatCell(cell, column)}${interval}`;
      }),
    ]),
    ...projectedRow(grown, columns),
  ]);

function projectedRow(
  { system, projected }: ReportGrowingSystem,
  columns: readonly ReportColumn[],
): string[][] {
  if (projected === undefined) return [];
  const { passages, bytes, searchMs } = projected;
  const cells = columns.map(({ id, unit }) => {
    if (id === 'index-bytes' && bytes !== undefined) return formatNumber(bytes, unit);
    if (id !== 'search-ms' || searchMs === undefined) return '–';
    return `${formatNumber(searchMs.value, unit)} (${formatInterval(searchMs.interval, unit)})`;
  });
  return [[system, passages.toLocaleString('en-US'), 'projected', ...cells]];
}

export const growthLegend = ({ lawBounds }: ReportGrowth): string => {
  const { sizes, spread, r2, residual } = lawBounds;
  return `No query needs the passages that were added. A projected row was not measured: bytes are those of the bare vectors, or postings, in proportion; a search time stands there only where a line through ${sizes} measured sizes or more fits (R² of ${r2} or more, no size missed by more than ${100 * residual} %, the largest at least ${spread} times the smallest), with the 95 % interval of that line.`;
};
