/** The charts of a section, as Vega-Lite describes them. Systems are told apart by number and colour. */
import type { ReportCell, ReportColumn, ReportFront, ReportSection } from '../../harness/contracts.js';
import { headingOf } from '../format/numbers.js';
import { type Chart, chartHeight, chartWidth } from './draw.js';
import { labelCorners, labelOffsets, spansDecades } from './labels.js';
import { seriesCount } from './style.js';

export interface Figure {
  chart: Chart;
  caption: string;
}

export const size = { width: chartWidth, height: chartHeight };

/** The colour of the system with this place in the table. */
export function colourOf(index: number): string {
  return `var(--s${index % seriesCount})`;
}

/** Every system of the table with its number and colour, whichever of them a chart shows. */
export function seriesColour(section: ReportSection) {
  const names = section.systems.map(({ name }) => name);
  return {
    field: 'system',
    type: 'nominal',
    scale: { domain: names, range: names.map((_, i) => colourOf(i)) },
    legend: null,
  };
}

type Shown<Key extends string> = Record<Key | `${Key}Low` | `${Key}High`, number>;

function shown(cell: ReportCell, column: ReportColumn, key: 'x'): Shown<'x'>;
function shown(cell: ReportCell, column: ReportColumn, key: 'y'): Shown<'y'>;
function shown(cell: ReportCell, { unit }: ReportColumn, key: string): Record<string, number> {
  const scale = unit === 'share' ? 100 : unit === 'bytes' ? 2 ** -20 : 1;
  const { low, high } = cell.interval ?? { low: cell.value, high: cell.value };
  return { [key]: scale * cell.value, [`${key}Low`]: scale * low, [`${key}High`]: scale * high };
}

export function titleOf(column: ReportColumn): string {
  return column.unit === 'bytes' ? `${column.label}, MiB` : headingOf(column);
}

/** Accuracy against what it costs, with intervals; the Pareto front is the line, and its systems are filled. */
export function frontFigure(section: ReportSection, front: ReportFront): Figure | undefined {
  const x = section.columns.find(({ id }) => id === front.cost)!;
  const y = section.columns.find(({ id }) => id === front.measure)!;
  const points = section.systems.flatMap((system, i) => {
    const cost = system.cells[x.id];
    const accuracy = system.cells[y.id];
    if (cost === undefined || accuracy === undefined) return [];
    const onFront = front.systems.includes(system.name);
    return [
      {
        system: system.name,
        number: String(i + 1),
        onFront,
        ...shown(cost, x, 'x'),
        ...shown(accuracy, y, 'y'),
      },
    ];
  });
  // One point is against nothing.
  if (points.length < 2) return undefined;
  const wide = spansDecades(points.map((point) => point.x));
  const along = (x: number) => (wide ? Math.log(x) : x);
  const corners = labelCorners(
    points.map((point) => ({
      ...point,
      ...{ x: along(point.x), xLow: along(point.xLow), xHigh: along(point.xHigh) },
    })),
  );
  const values = points.map((point, i) => ({ ...point, corner: corners[i] }));
  const color = seriesColour(section);
  const axis = (key: 'x' | 'y', column: ReportColumn) => ({
    field: key,
    type: 'quantitative',
    scale:
      key === 'x' && wide
        ? { type: 'log', nice: false, padding: 18 }
        : { zero: false, nice: true, padding: 14, ...(key === 'x' && roomAround(points)) },
    axis: { title: titleOf(column), ...(key === 'x' && wide && { labelOverlap: true, tickCount: 4 }) },
  });
  const rule = { type: 'rule', strokeWidth: 1.5, opacity: 0.6 };
  return {
    caption: `${titleOf(y)} against ${titleOf(x)}: bars are 95 % intervals, the dashed line joins the Pareto front, whose systems are filled.`,
    chart: {
      ...size,
      data: { values },
      layer: [
        {
          transform: [{ filter: 'datum.onFront' }],
          mark: {
            type: 'line',
            interpolate: 'step-after',
            strokeDash: [4, 3],
            color: 'currentColor',
            opacity: 0.55,
          },
          encoding: { x: axis('x', x), y: axis('y', y) },
        },
        {
          mark: rule,
          encoding: {
            x: axis('x', x),
            y: { field: 'yLow', type: 'quantitative' },
            y2: { field: 'yHigh' },
            color,
          },
        },
        {
          mark: rule,
          encoding: {
            y: axis('y', y),
            x: { field: 'xLow', type: 'quantitative' },
            x2: { field: 'xHigh' },
            color,
          },
        },
        {
          mark: { type: 'point', filled: true, size: 90, strokeWidth: 2, opacity: 1 },
          encoding: {
            x: axis('x', x),
            y: axis('y', y),
            stroke: color,
            fill: { condition: { ...color, test: 'datum.onFront' }, value: 'var(--ground)' },
            description: { field: 'system', type: 'nominal' },
          },
        },
        ...labelOffsets.map(([dx, dy], corner) => ({
          transform: [{ filter: `datum.corner === ${corner}` }],
          mark: { type: 'text', dx, dy, fontWeight: 700, fontSize: 12 },
          encoding: { x: axis('x', x), y: axis('y', y), text: { field: 'number' }, color },
        })),
      ],
    } as unknown as Chart,
  };
}

/** A scale needs an extent: costs that are all the same get a tenth on either side, the tick of one value being a long number. */
export function roomAround(points: readonly { xLow: number; xHigh: number }[]): { domain?: number[] } {
  const [low, high] = [
    Math.min(...points.map(({ xLow }) => xLow)),
    Math.max(...points.map(({ xHigh }) => xHigh)),
  ];
  return low === high && low > 0 ? { domain: [0.9 * low, 1.1 * low] } : {};
}

/** What the choice of layers or the number of vectors does to accuracy; one line for each architecture. */
export function variationFigure(section: ReportSection, by: 'layers' | 'vectors'): Figure | undefined {
  const measure = section.columns.find(({ id }) => id === section.measure);
  const variations = section.variations.filter((variation) => variation.by === by);
  if (measure === undefined || variations.length === 0) return undefined;
  const values = variations.flatMap(({ arch, points }) =>
    points.flatMap(({ x, system }) => {
      const index = section.systems.findIndex(({ name }) => name === system);
      const cell = section.systems[index]?.cells[measure.id];
      if (cell === undefined) return [];
      const at = by === 'vectors' ? Number(x) : x;
      return [{ arch, system, number: String(index + 1), at, ...shown(cell, measure, 'y') }];
    }),
  );
  if (values.length < 2) return undefined;
  const color = seriesColour(section);
  const x = {
    field: 'at',
    type: by === 'vectors' ? 'quantitative' : 'ordinal',
    axis: { title: by === 'vectors' ? 'M, vectors per passage' : 'S, layers', labelAngle: 0, tickMinStep: 1 },
    ...(by === 'vectors' ? { scale: { zero: false, padding: 14 } } : { sort: null }),
  };
  const y = {
    field: 'y',
    type: 'quantitative',
    scale: { zero: false, padding: 10 },
    axis: { title: titleOf(measure) },
  };
  return {
    caption: `${titleOf(measure)} by ${by === 'vectors' ? 'number of vectors' : 'layers'}: one line for each architecture (${variations.map(({ arch }) => arch).join(', ')}), bars are 95 % intervals.`,
    chart: {
      ...size,
      data: { values },
      layer: [
        {
          mark: { type: 'line', color: 'currentColor', opacity: 0.5 },
          encoding: { x, y, detail: { field: 'arch', type: 'nominal' } },
        },
        {
          mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.6 },
          encoding: { x, y: { field: 'yLow', type: 'quantitative' }, y2: { field: 'yHigh' }, color },
        },
        { mark: { type: 'point', filled: true, size: 80, opacity: 1 }, encoding: { x, y, color } },
        {
          mark: { type: 'text', dx: 10, dy: -9, fontWeight: 700, fontSize: 12 },
          encoding: { x, y, text: { field: 'number' }, color },
        },
      ],
    } as unknown as Chart,
  };
}
