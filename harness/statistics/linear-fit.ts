/** A line through points, by least squares, and how well it fits. */
import { BenchError } from '../errors.js';
import { studentQuantile } from './distributions.js';
import { type Interval, mean } from './summary.js';

const level = 0.95;

/** y = intercept + slope x */
export interface LinearFit {
  intercept: number;
  slope: number;
  /** Share of the variance of y that the line explains; undefined where y does not vary. */
  r2: number | undefined;
  /** y less what the line says, point by point. */
  residuals: readonly number[];
  /** The line at x, with the 95 % confidence interval of the mean there; absent where two points leave nothing to judge by. */
  at(x: number): { value: number; interval?: Interval };
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
  const free = x.length - 2;
  return {
    ...{ intercept, slope, r2: yy === 0 ? undefined : 1 - unexplained / yy, residuals },
    at(place) {
      const value = intercept + slope * place;
      if (free < 1) return { value };
      // Far from the points the uncertainty of the slope is nearly all of it.
      const leverage = 1 / x.length + (place - middleX) ** 2 / xx;
      const half = studentQuantile((1 + level) / 2, free) * Math.sqrt((unexplained / free) * leverage);
      return { value, interval: { low: value - half, high: value + half, level } };
    },
  };
}
