/** A line through points, by least squares, and how well it fits. */
import { BenchError } from '../errors.js';
import { mean } from './summary.js';

/** y = intercept + slope x */
export interface LinearFit {
  intercept: number;
  slope: number;
  /** Share of the variance of y that the line explains; undefined where y does not vary. */
  r2: number | undefined;
  /** y less what the line says, point by point. */
  residuals: readonly number[];
}

/**
 * Ordinary least squares (Gauss, 1809): each point counts the same.
 * @throws BenchError RECORD_INVALID on fewer than two different x, or a number that is not finite
 */
export function fitLine(x: readonly number[], y: readonly number[]): LinearFit {
  if (x.length !== y.length) throw new RangeError(`${x.length} x and ${y.length} y`);
  if (new Set(x).size < 2)
    throw new BenchError('RECORD_INVALID', 'A line needs points at two different places at least.');
  const [middleX, middleY] = [mean(x), mean(y)];
  let [xx, xy, yy] = [0, 0, 0];
  for (const [i, value] of x.entries()) {
    const [dx, dy] = [value - middleX, y[i]! - middleY];
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  const slope = xy / xx;
  const intercept = middleY - slope * middleX;
  const residuals = x.map((value, i) => y[i]! - (intercept + slope * value));
  const unexplained = residuals.reduce((sum, residual) => sum + residual * residual, 0);
  return { intercept, slope, r2: yy === 0 ? undefined : 1 - unexplained / yy, residuals };
}
