/** Recall against latency of the systems whose index is not exact, and where the exact ones lie among them. */
import type { ReportCell, ReportIndexCurve, ReportSection, ReportSystem } from '../contracts.js';
import type { CurveFacts, RunRecord } from '../record.js';
import { bootstrapStatistic } from '../statistics/bootstrap.js';
import { mean, quantile } from '../statistics/summary.js';
import { deviceDifferences } from './devices.js';
import { lossesOf, lossMeasure, ratesOf, speedsOf } from './index-losses.js';
import { samplesOf } from './latency.js';
import { firstOf, type System } from './systems.js';

/**
 * Undefined where every index is exact. Systems of another depth than the first are left out: their recall is another.
 * @param rows of the table, in the order of the systems
 * @param measure whose losses are asked for
 */
export function indexCurvesOf(
  systems: readonly System[],
  rows: readonly ReportSystem[],
  measure?: string,
): ReportSection['indexCurves'] {
  const first = systems.map((system) => curvesOf(system)?.[0]).find((curve) => curve !== undefined);
  if (first === undefined) return undefined;
  const { depth } = first;
  const curves = systems.flatMap((system, i) => {
    const curve = approximate(system, depth, measure) ?? exact(system, first, rows[i]!.cells['search-ms']);
    return curve === undefined ? [] : [curve];
  });
  return { depth, curves };
}

/** Of every run; undefined where one has none, or other values. */
export function curvesOf({ runs }: System): CurveFacts[] | undefined {
  const curves = runs.map(({ record }) => record.index?.curve);
  const values = (curve: CurveFacts | undefined) => curve?.points.map(({ value }) => value).join();
  const same = curves.every((curve) => curve !== undefined && values(curve) === values(curves[0]));
  return same ? (curves as CurveFacts[]) : undefined;
}

function approximate(system: System, depth: number, asked?: string): ReportIndexCurve | undefined {
  const curves = curvesOf(system);
  if (curves === undefined || curves[0]!.depth !== depth) return undefined;
  const records = system.runs.map(({ record }) => record);
  const measure = lossMeasure(system, asked);
  const losses = measure === undefined ? [] : lossesOf(system, measure);
  const isOneDevice = oneDevice(records);
  const speeds = isOneDevice ? speedsOf(system) : [];
  const sizes = curves[0]!.points.map((_, i) => curves.map(({ points }) => points[i]!.sizeBytes));
  const differ = sizes.some((of) => of.some((size, run) => size !== undefined && size !== sizes[0]![run]));
  const points = curves[0]!.points.map(({ value, recall }, i) => {
    const samples = isOneDevice
      ? curves.flatMap(({ points }) => points[i]!.execution?.search.samplesMs ?? [])
      : [];
    return {
      value,
      recall: Object.fromEntries(
        Object.keys(recall).map((k) => [k, mean(curves.map(({ points }) => points[i]!.recall[k]!))]),
      ),
      ...(differ && { indexBytes: mean(sizes[i] as number[]) }),
      ...(losses[i] && { loss: losses[i] }),
      ...(speeds[i] !== undefined && { speed: speeds[i] }),
      ...timed(samples),
    };
  });
  const rates = ratesOf(points);
  return {
    ...described(system, records),
    parameter: curves[0]!.parameter,
    points,
    ...(rates.length > 0 && { rates }),
  };
}

/**
 * The index Flat finds all there is, by definition.
 * @param search its median in the table, which has its interval already
 */
function exact(
  system: System,
  { points }: CurveFacts,
  search: ReportCell | undefined,
): ReportIndexCurve | undefined {
  const records = system.runs.map(({ record }) => record);
  if (records.some(({ index }) => index?.kind !== 'Flat')) return undefined;
  const recall = Object.fromEntries(Object.keys(points[0]!.recall).map((k) => [k, 1]));
  const point = { value: null, recall, ...timed(samplesOf(system, 'search') ?? [], search) };
  return { ...described(system, records), parameter: null, points: [point] };
}

function described(system: System, records: readonly RunRecord[]) {
  const { kind } = firstOf(system).index!;
  return { system: system.name, kind, indexBytes: mean(records.map(({ index }) => index!.sizeBytes.total)) };
}

function oneDevice(records: readonly RunRecord[]): boolean {
  return records.every((record) => deviceDifferences(records[0]!, record).length === 0);
}

function timed(
  samples: readonly number[],
  known?: ReportCell,
): Pick<ReportIndexCurve['points'][number], 'searchMs'> {
  if (samples.length === 0) return {};
  const p95 = quantile(Float64Array.from(samples).sort(), 0.95);
  if (known !== undefined) {
    const { value, interval } = known;
    return { searchMs: { value, p95, ...(interval && { interval }) } };
  }
  if (samples.length < 2) return { searchMs: { value: samples[0]!, p95 } };
  const { estimate, interval } = bootstrapStatistic(samples, 'median');
  return { searchMs: { value: estimate, p95, interval: { low: interval.low, high: interval.high } } };
}
