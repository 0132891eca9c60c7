/** Where the numbers of a chart's points go, so that those of neighbours can be told apart. */
import { chartHeight, chartWidth } from './draw.js';

/** From the point to the middle of its number, in pixels: the corners a number may stand at, the preferred first. */
export const labelOffsets: readonly (readonly [number, number])[] = [
  [10, -9],
  [-11, -9],
  [10, 10],
  [-11, 10],
  [20, 0],
  [-21, 0],
];

/** Closer than this, in pixels, a number touches another number, or a point. */
const touchingNumber = { x: 14, y: 11 } as const;
const touchingPoint = { x: 9, y: 8 } as const;

interface Place {
  x: number;
  y: number;
}

/** Whether costs lie so far apart that the small ones fall together on an even scale. */
export function spansDecades(values: readonly number[]): boolean {
  return Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > 10;
}

/** Half of what a letter more takes, in pixels. */
const halfLetter = 3;

/** A point with the ends of its intervals: what the axes have to span. */
export interface Spanned extends Place {
  xLow: number;
  xHigh: number;
  yLow: number;
  yHigh: number;
  /** Of its label: 1 where absent, 0 where it has none. */
  letters?: number;
}

/**
 * For each point the corner for its label that touches the fewest points and labels placed before. Where the axes
 * begin is the charting library's to choose; here they are taken to span the points and their intervals.
 * @returns places in `labelOffsets`
 */
export function labelCorners(points: readonly Spanned[]): number[] {
  const at = toPixels(points);
  const placed: { label: Place; wider: number }[] = [];
  return at.map((point, i) => {
    if (points[i]!.letters === 0) return 0;
    const wider = halfLetter * ((points[i]!.letters ?? 1) - 1);
    // A longer label begins where a short one does.
    const labels = labelOffsets.map(([dx, dy]) => ({
      x: point.x + dx + Math.sign(dx) * wider,
      y: point.y + dy,
    }));
    const crowds = labels.map(
      (label) =>
        at.filter((other) => other !== point && touches(label, other, touchingPoint, wider)).length +
        placed.filter((other) => touches(label, other.label, touchingNumber, wider + other.wider)).length,
    );
    const corner = crowds.indexOf(Math.min(...crowds));
    placed.push({ label: labels[corner]!, wider });
    return corner;
  });
}

function touches(a: Place, b: Place, within: Place, wider: number): boolean {
  return Math.abs(a.x - b.x) < within.x + wider && Math.abs(a.y - b.y) < within.y;
}

function toPixels(points: readonly Spanned[]): Place[] {
  const along = (key: 'x' | 'y', pixels: number) => {
    const low = Math.min(...points.map((point) => point[`${key}Low`]));
    const high = Math.max(...points.map((point) => point[`${key}High`]));
    return (value: number) => (high === low ? 0 : (pixels * (value - low)) / (high - low));
  };
  const [x, y] = [along('x', 0.85 * chartWidth), along('y', 0.8 * chartHeight)];
  return points.map((point) => ({ x: x(point.x), y: -y(point.y) }));
}
