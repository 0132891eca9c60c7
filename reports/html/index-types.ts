/** What indexes that are not exact find of the exact hits, and for how much: a chart and a table. */
import type { ReportIndexCurve, ReportSection } from '../../harness/contracts.js';
import { formatInterval, formatNumber } from '../format/numbers.js';
import { type Figure, roomAround, seriesColour, size } from './charts.js';
import type { Chart } from './draw.js';
import { escapeHtml } from './escape.js';
import { labelCorners, labelOffsets } from './labels.js';
import { numberHtml } from './tables.js';

const placeOf = (section: ReportSection, { system }: ReportIndexCurve) =>
  section.systems.findIndex(({ name }) => name === system);

/** Recall against latency: a line for each system, its points labelled by what the search looked at. */
export function recallFigures(section: ReportSection): Figure[] {
  const { indexCurves } = section;
  if (indexCurves === undefined) return [];
  const { depth, curves } = indexCurves;
  const found = curves.flatMap((curve) => {
    const number = placeOf(section, curve) + 1;
    const last = curve.points.length - 1;
    return curve.points.flatMap(({ value, recall, indexBytes, searchMs }, i) => {
      if (searchMs === undefined) return [];
      const { low, high } = searchMs.interval ?? { low: searchMs.value, high: searchMs.value };
      const name = value === null ? curve.kind : String(value);
      return [
        {
          system: curve.system,
          label: i === last ? `${number}: ${name}` : name,
          end: i === last ? `${number}: ${curve.kind}` : '',
          order: value ?? 0,
          ...{ ms: searchMs.value, low, high, recall: 100 * recall[depth]! },
          mib: (indexBytes ?? curve.indexBytes) * 2 ** -20,
        },
      ];
    });
  });
  if (found.length < 2) return [];
  const corners = {
    label: labelCorners(
      found.map(({ ms, low, high, recall, label }) => ({
        ...{ x: Math.log(ms), xLow: Math.log(low), xHigh: Math.log(high) },
        ...{ y: recall, yLow: recall, yHigh: recall, letters: label.length },
      })),
    ),
    end: labelCorners(
      found.map(({ mib, recall, end }) => ({
        ...{ x: mib, xLow: mib, xHigh: mib, y: recall, yLow: recall, yHigh: recall },
        letters: end.length,
      })),
    ),
  };
  const values = found.map((point, i) => ({
    ...point,
    labelCorner: corners.label[i],
    endCorner: corners.end[i],
  }));
  const color = seriesColour(section);
  // Kinds lie decades apart.
  const x = {
    field: 'ms',
    type: 'quantitative',
    scale: { type: 'log', nice: false, padding: 18 },
    axis: { title: 'search ms, median of one query at a time' },
  };
  const y = {
    field: 'recall',
    type: 'quantitative',
    scale: { zero: false, padding: 14 },
    axis: { title: `recall@${depth} %` },
  };
  const points = (across: object, field: keyof typeof corners) => [
    { mark: { type: 'point', filled: true, size: 60, opacity: 1 }, encoding: { x: across, y, color } },
    ...labelOffsets.map(([dx, dy], corner) => ({
      transform: [{ filter: `datum.${field}Corner === ${corner}` }],
      mark: {
        ...{ type: 'text', dx: dx - 4 * Math.sign(dx), dy, align: dx > 0 ? 'left' : 'right' },
        ...{ fontSize: 10, fontWeight: 600 },
      },
      encoding: { x: across, y, text: { field }, color },
    })),
  ];
  const bytes = {
    field: 'mib',
    type: 'quantitative',
    scale: {
      ...{ zero: false, nice: true, padding: 18 },
      ...roomAround(found.map(({ mib }) => ({ xLow: mib, xHigh: mib }))),
    },
    axis: { title: 'index, MiB' },
  };
  return [
    {
      caption: `Share of the exact first ${depth} hits that is found, against the time a search takes: one line for each index, points labelled by nprobe or efSearch, bars are 95 % intervals.`,
      chart: {
        ...size,
        data: { values },
        layer: [
          {
            mark: { type: 'line', strokeWidth: 1.5, opacity: 0.8 },
            encoding: { x, y, color, order: { field: 'order', type: 'quantitative' } },
          },
          {
            mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.6 },
            encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, y, color },
          },
          ...points(x, 'label'),
        ],
      } as unknown as Chart,
    },
    {
      caption: `The same against the bytes of the index on disk.`,
      chart: { ...size, data: { values }, layer: points(bytes, 'end') } as unknown as Chart,
    },
  ];
}

/** Every point in numbers. */
export function recallTable(section: ReportSection): string {
  if (section.indexCurves === undefined) return '';
  const { curves } = section.indexCurves;
  const depths = Object.keys(curves[0]!.points[0]!.recall);
  const all = curves.flatMap(({ points }) => points);
  const measure = all.find(({ loss }) => loss !== undefined)?.loss?.measure;
  const hasSpeed = all.some(({ speed }) => speed !== undefined);
  const share = (of: number | undefined) => (of === undefined ? '–' : formatNumber(of, 'share'));
  const bodies = curves.map((curve) => {
    const rows = curve.points.map(({ value, recall, indexBytes, loss, speed, searchMs }, i) => {
      const span = ` rowspan="${curve.points.length}"`;
      const head =
        i === 0
          ? `<th scope="rowgroup" class="system"${span}>${numberHtml(placeOf(section, curve))} ${escapeHtml(curve.system)}</th><td class="text"${span}>${escapeHtml(curve.kind)}</td>`
          : '';
      const ms = (of: number | undefined) => (of === undefined ? '–' : formatNumber(of, 'ms'));
      const cells = [
        value === null ? '–' : `${curve.parameter} ${value}`,
        formatNumber(indexBytes ?? curve.indexBytes, 'bytes'),
        ...depths.map((k) => formatNumber(recall[k]!, 'share')),
        ms(searchMs?.value),
        searchMs?.interval === undefined ? '–' : formatInterval(searchMs.interval, 'ms'),
        ms(searchMs?.p95),
        ...(measure === undefined
          ? []
          : [share(loss?.value), loss?.interval ? formatInterval(loss.interval, 'share') : '–']),
        ...(hasSpeed ? [speed === undefined ? '–' : speed.toPrecision(2)] : []),
      ];
      return `<tr>${head}${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
    });
    return `<tbody>${rows.join('\n')}</tbody>`;
  });
  const titles = [
    ...['searched with', 'bytes on disk', ...depths.map((k) => `recall@${k} %`)],
    ...['search p50 ms', '95 % interval', 'p95 ms'],
    ...(measure === undefined ? [] : [`loss of ${measure} %`, '95 % interval']),
    ...(hasSpeed ? ['times as fast as Flat'] : []),
  ];
  return `<div class="wide" tabindex="0"><table class="dense"><thead><tr><th scope="col" class="text">system</th><th scope="col" class="text">index</th>${titles.map((title) => `<th scope="col">${title}</th>`).join('')}</tr></thead>
${bodies.join('\n')}</table></div>
<p class="faint">Recall is against the exact hits of the same vectors. The points of one index were timed in turns, Flat among them. The last point of an index is what its other figures are of.</p>`;
}
