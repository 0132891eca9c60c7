/** Systems in collections that grow: a table, and pictures of accuracy and search time against N. */
import type { ReportColumn, ReportGrowth } from '../../harness/contracts.js';
import { growthHead, growthHeading, growthLegend, growthRows, growthSubject } from '../format/growth.js';
import { colourOf, type Figure, size, titleOf } from './charts.js';
import type { Chart } from './draw.js';
import { escapeHtml } from './escape.js';
import { spansDecades } from './labels.js';
import { textTable } from './text-table.js';

export function growthHtml(growth: ReportGrowth): string {
  const notes = growth.notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('');
  const table = textTable(
    growthSubject(growth),
    growthHead(growth),
    growthRows(growth),
    growthLegend(growth),
    'text',
  );
  return `<h2>${growthHeading}</h2>
${table}
${notes === '' ? '' : `<ul class="faint">${notes}</ul>`}`;
}

/** The first measure and the time of a search, as far as they were measured: a line for each system. */
export function growthFigures(growth: ReportGrowth): Figure[] {
  const measure = growth.columns.find(({ group }) => group === 'accuracy');
  const search = growth.columns.find(({ id }) => id === 'search-ms');
  return [measure, search].flatMap((column) => (column === undefined ? [] : figureOf(growth, column)));
}

function figureOf({ systems }: ReportGrowth, column: ReportColumn): Figure[] {
  const scale = column.unit === 'share' ? 100 : 1;
  const values = systems.flatMap(({ system, points }, i) =>
    points.flatMap(({ passages, cells }, at) => {
      const cell = cells[column.id];
      if (cell === undefined) return [];
      const { low, high } = cell.interval ?? { low: cell.value, high: cell.value };
      return [
        {
          ...{ system, passages, y: scale * cell.value, low: scale * low, high: scale * high },
          number: at === points.length - 1 ? String(i + 1) : '',
        },
      ];
    }),
  );
  // One size is no line.
  if (new Set(values.map(({ passages }) => passages)).size < 2) return [];
  const wide = spansDecades(values.map(({ passages }) => passages));
  const names = systems.map(({ system }) => system);
  const color = {
    field: 'system',
    type: 'nominal',
    scale: { domain: names, range: names.map((_, i) => colourOf(i)) },
    legend: null,
  };
  const x = {
    field: 'passages',
    type: 'quantitative',
    scale: wide ? { type: 'log', nice: false, padding: 18 } : { zero: false, padding: 14 },
    axis: { title: 'N, passages', labelOverlap: true, tickCount: 4 },
  };
  const y = {
    field: 'y',
    type: 'quantitative',
    scale: { zero: column.unit === 'ms', padding: 10 },
    axis: { title: titleOf(column) },
  };
  return [
    {
      caption: `${titleOf(column)} as the collection grows: measured, bars are 95 % intervals; ${names.map((name, i) => `${i + 1} is ${name}`).join(', ')}.`,
      chart: {
        ...size,
        data: { values },
        layer: [
          { mark: { type: 'line', opacity: 0.6 }, encoding: { x, y, color } },
          {
            mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.6 },
            encoding: { x, y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' }, color },
          },
          { mark: { type: 'point', filled: true, size: 70, opacity: 1 }, encoding: { x, y, color } },
          {
            mark: { type: 'text', dx: 12, dy: -9, fontWeight: 700, fontSize: 12 },
            encoding: { x, y, text: { field: 'number' }, color },
          },
        ],
      } as unknown as Chart,
    },
  ];
}
