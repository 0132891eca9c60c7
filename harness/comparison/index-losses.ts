/** What an index that is not exact costs in accuracy, point by point of its curve, and how fast it is at a given recall or loss. */
import type { ReportIndexCurve, ReportIndexLoss, ReportIndexRate } from '../contracts.js';
import type { CurveFacts, RunRecord } from '../record.js';
import { bootstrapStatistic } from '../statistics/bootstrap.js';
import { pairedDifferences } from '../statistics/pairs.js';
import { mean, median } from '../statistics/summary.js';
import type { System } from './systems.js';

/** What is asked of a curve: shares of the exact hits, and losses of a measure that is a share. */
const recallTargets = [0.9, 0.95, 0.99];
const lossTargets = [0.003, 0.01];

type Points = ReportIndexCurve['points'];

/** The measure that losses are told of: the one asked for, else ndcg@10, else the first; undefined where the exact hits were not measured. */
export function lossMeasure({ runs }: System, asked: string | undefined): string | undefined {
  const held = Object.keys(runs[0]!.record.index?.curve?.exact?.measures ?? {}).filter((id) =>
    runs.every(
      ({ record: { index, measures } }) =>
        index?.curve?.exact?.measures[id] !== undefined && measures[id]?.higherIsBetter,
    ),
  );
  return [asked, 'ndcg@10'].find((id) => id !== undefined && held.includes(id)) ?? held[0];
}

/**
 * By point, what is lost against the index Flat on the same queries: positive where the point is worse, each query with its
 * mean over the seeds.
 */
export function lossesOf({ runs }: System, measure: string): ReportIndexLoss[] {
  const records = runs.map(({ record }) => record);
  const exact = meanPerQuery(records, (curve) => curve.exact!.measures[measure]!.perQuery);
  return records[0]!.index!.curve!.points.map((_, i, { length }) => {
    const own = meanPerQuery(records, (curve, record) =>
      i === length - 1 ? record.measures[measure]!.perQuery : curve.points[i]!.measures![measure]!.perQuery,
    );
    // The baseline is what is looked at, so that a loss is positive.
    const losses = pairedDifferences(own, exact);
    const value = mean(losses);
    const varies = losses.some((loss) => loss !== losses[0]);
    if (!varies)
      return { measure, value, ...(losses.every((loss) => loss === 0) && { interval: { low: 0, high: 0 } }) };
    const { low, high } = bootstrapStatistic(losses, 'mean').interval;
    return { measure, value, interval: { low, high } };
  });
}

function meanPerQuery(
  records: readonly RunRecord[],
  valuesOf: (curve: CurveFacts, record: RunRecord) => readonly number[],
): number[] {
  const all = records.map((record) => valuesOf(record.index!.curve!, record));
  return all[0]!.map((_, q) => mean(all.map((values) => values[q]!)));
}

/** How many times as fast as the index Flat, which took turns with the points: ratios of medians, all seeds together. */
export function speedsOf({ runs }: System): (number | undefined)[] {
  const curves = runs.map(({ record }) => record.index!.curve!);
  const samplesOf = (executions: readonly (CurveFacts['points'][number]['execution'] | undefined)[]) =>
    executions.flatMap((execution) => execution?.search.samplesMs ?? []);
  const flat = samplesOf(curves.map(({ exact }) => exact?.execution));
  return curves[0]!.points.map((_, i) => {
    const own = samplesOf(curves.map(({ points }) => points[i]!.execution));
    return flat.length === 0 || own.length === 0 ? undefined : median(flat) / median(own);
  });
}

/** Queries per second, one at a time, at each recall of the first ten or so, and at each loss. */
export function ratesOf(points: Points): ReportIndexRate[] {
  const timed = points.flatMap(({ recall, loss, searchMs }) =>
    searchMs === undefined ? [] : [{ recall, loss, perSecond: 1000 / searchMs.value }],
  );
  if (timed.length === 0) return [];
  const k = Math.min(...Object.keys(timed[0]!.recall).map(Number));
  const rates = recallTargets.map((target): ReportIndexRate => {
    const at = timed.map(({ recall, perSecond }) => ({ at: recall[k]!, perSecond }));
    return { of: `recall@${k}`, target, ...rateAt(at, target) };
  });
  if (timed.some(({ loss }) => loss === undefined)) return rates;
  const { measure } = timed[0]!.loss!;
  return [
    ...rates,
    ...lossTargets.map((target): ReportIndexRate => {
      const at = timed.map(({ loss, perSecond }) => ({ at: -loss!.value, perSecond }));
      return { of: `loss of ${measure}`, target, ...rateAt(at, -target) };
    }),
  ];
}

/**
 * The most queries per second with at least this much: measured where a point is that good, or between two of which one is and
 * one is not, where the logarithm of the rate is taken for a straight line and the figure is marked.
 */
export function rateAt(
  points: readonly { at: number; perSecond: number }[],
  target: number,
): Pick<ReportIndexRate, 'perSecond' | 'interpolated'> {
  let best: { perSecond: number; interpolated: boolean } | undefined;
  const offer = (perSecond: number, interpolated: boolean) => {
    if (best === undefined || perSecond > best.perSecond) best = { perSecond, interpolated };
  };
  const sorted = [...points].sort((a, b) => a.at - b.at);
  for (const [i, high] of sorted.entries()) {
    if (high.at < target) continue;
    offer(high.perSecond, false);
    const low = sorted[i - 1];
    // To a point that is exactly so good nothing is interpolated, which rounding alone would make the faster one.
    if (low === undefined || low.at >= target || high.at === target) continue;
    const share = (target - low.at) / (high.at - low.at);
    offer(Math.exp(Math.log(low.perSecond) * (1 - share) + Math.log(high.perSecond) * share), true);
  }
  return best ?? {};
}

/** One line for each point, and one for the rates, for readers of any report. */
export function lossNotes({ system, kind, parameter, points, rates }: ReportIndexCurve): string[] {
  const lines = points.flatMap(({ value, loss, speed }) => {
    if (loss === undefined) return [];
    const told = value === null ? kind : `${kind}, ${parameter} ${value},`;
    const faster = speed === undefined ? '' : `, at ${speed.toPrecision(2)} times the speed of Flat`;
    return [`${system}: ${told} ${lossText(loss)}${faster}.`];
  });
  if (rates === undefined || rates.length === 0) return lines;
  const told = rates.map(({ of, target, perSecond, interpolated }) => {
    const at = of.startsWith('recall') ? `${of} of ${target}` : `a ${of} of ${pointsText(target)}`;
    if (perSecond === undefined) return `${at}: not reached`;
    return `${at}: ${perSecond.toPrecision(3)}${interpolated ? ' (interpolated)' : ''}`;
  });
  return [...lines, `${system}: ${kind}, queries per second, one at a time, at ${told.join('; ')}.`];
}

function lossText({ measure, value, interval }: ReportIndexLoss): string {
  if (interval === undefined) return `loses ${pointsText(value)} of ${measure}`;
  if (interval.low === 0 && interval.high === 0) return `loses nothing of ${measure}`;
  const most = interval.high > 0 ? `loses at most ${pointsText(interval.high)} of` : 'loses nothing of';
  return `${most} ${measure} (${pointsText(value)}; 95 % interval ${pointsText(interval.low)} to ${pointsText(interval.high)})`;
}

/** Of a share, in points of a hundred. */
const pointsText = (share: number): string => (100 * share).toFixed(2).replace(/^-(0\.00)$/, '$1');
