/** Curves of a section: training epoch by epoch, and the differences of the two best systems query by query. */
import type { ReportSection } from '../../harness/contracts.js';
import { colourOf, type Figure, seriesColour, size, titleOf } from './charts.js';
import type { Chart } from './draw.js';

/** Training curves: the loss, and whatever dev said, epoch by epoch; one line for each run. */
export function trainingFigures(section: ReportSection): Figure[] {
  const { training, systems } = section;
  const longest = Math.max(0, ...training.map(({ epochs }) => epochs.length));
  // One point is no curve; its numbers stand with how they were made.
  if (longest < 2) return [];
  const names = [
    'loss',
    ...new Set(training.flatMap(({ epochs }) => epochs.flatMap(({ dev }) => Object.keys(dev)))),
  ];
  const color = seriesColour(section);
  return names.map((name) => {
    const values = training.flatMap(({ system, seed, bestEpoch, epochs }) =>
      epochs.flatMap(({ epoch, loss, dev }) => {
        const y = name === 'loss' ? loss : dev[name];
        const number = String(systems.findIndex((each) => each.name === system) + 1);
        if (y === undefined) return [];
        return [{ system, run: `${system} ${seed}`, number, epoch: epoch + 1, y, kept: epoch === bestEpoch }];
      }),
    );
    const what = name === 'loss' ? 'training loss' : `dev ${name}`;
    const x = {
      field: 'epoch',
      type: 'quantitative',
      scale: { zero: false, nice: false, padding: 10 },
      axis: { title: 'epoch', tickMinStep: 1, format: 'd' },
    };
    const y = { field: 'y', type: 'quantitative', scale: { zero: false }, axis: { title: what } };
    return {
      caption: `${what[0]!.toUpperCase()}${what.slice(1)} by epoch, one line for each run; the dot marks the epoch whose checkpoint was kept.`,
      chart: {
        ...size,
        data: { values },
        encoding: { x, y, color },
        layer: [
          {
            mark: { type: 'line', strokeWidth: 1.5, opacity: 0.8 },
            encoding: { detail: { field: 'run', type: 'nominal' } },
          },
          {
            transform: [{ filter: 'datum.kept' }],
            mark: { type: 'point', filled: true, size: 60, opacity: 1 },
          },
        ],
      } as unknown as Chart,
    };
  });
}

/** Points of the curve of differences; more would not be seen. */
const curvePoints = 300;

/** The differences of all queries in descending order. */
export function differencesFigure(section: ReportSection): Figure | undefined {
  const { queries, systems, columns } = section;
  if (queries === undefined) return undefined;
  const { differences, measure } = queries;
  if (differences.length < 2) return undefined;
  const column = columns.find(({ id }) => id === measure)!;
  const scale = column.unit === 'share' ? 100 : 1;
  const step = Math.max(1, Math.ceil(differences.length / curvePoints));
  const values = differences.flatMap((difference, i) =>
    i % step === 0 || i === differences.length - 1
      ? [{ query: i + 1, y: scale * difference, side: difference > 0 ? 0 : 1 }]
      : [],
  );
  const at = queries.systems.map((name) => systems.findIndex((system) => system.name === name));
  const [above, below] = column.higherIsBetter ? [at[0]!, at[1]!] : [at[1]!, at[0]!];
  const area = (side: 0 | 1) => ({
    transform: [{ calculate: side === 0 ? 'max(datum.y, 0)' : 'min(datum.y, 0)', as: 'part' }],
    mark: {
      type: 'area',
      interpolate: 'step-after',
      color: colourOf(side === 0 ? above : below),
      opacity: 0.75,
    },
    encoding: {
      x: {
        field: 'query',
        type: 'quantitative',
        scale: { nice: false },
        axis: { title: 'queries, by difference' },
      },
      y: { field: 'part', type: 'quantitative', axis: { title: `difference in ${titleOf(column)}` } },
    },
  });
  return {
    caption: `${titleOf(column)} of every query: above the line system ${above + 1} does better, below it system ${below + 1}.`,
    chart: { ...size, data: { values }, layer: [area(0), area(1)] } as unknown as Chart,
  };
}
