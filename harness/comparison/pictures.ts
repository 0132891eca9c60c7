/** What the charts of a report show: fronts, what layers and vectors change, how training went. */
import type {
  ReportColumn,
  ReportFront,
  ReportSystem,
  ReportTraining,
  ReportVariation,
} from '../contracts.js';
import type { System } from './systems.js';

/**
 * The Pareto front: systems that no other equals or beats in both numbers and beats in one.
 * @param direction of the accuracy: 1 where higher is better, -1 where lower is; less cost is always better
 */
export function paretoFront(
  points: readonly { name: string; cost: number; accuracy: number }[],
  direction: 1 | -1 = 1,
): string[] {
  return points
    .filter(
      (point) =>
        !points.some((other) => {
          const gain = direction * (other.accuracy - point.accuracy);
          const saving = point.cost - other.cost;
          return gain >= 0 && saving >= 0 && (gain > 0 || saving > 0);
        }),
    )
    .map(({ name }) => name);
}

/**
 * Accuracy against latency and against bytes.
 * @param comparable whether latencies were measured on one device; else there are no fronts of them
 */
export function frontsOf(
  systems: readonly ReportSystem[],
  measure: ReportColumn,
  comparable: boolean,
): ReportFront[] {
  return ['search-ms', 'total-ms', 'index-bytes'].flatMap((cost): ReportFront[] => {
    const having = systems.filter(
      ({ cells }) => cells[cost] !== undefined && cells[measure.id] !== undefined,
    );
    if (having.length < 2 || (cost.endsWith('-ms') && !comparable)) return [];
    const points = having.map(({ name, cells }) => ({
      name,
      cost: cells[cost]!.value,
      accuracy: cells[measure.id]!.value,
    }));
    return [{ measure: measure.id, cost, systems: paretoFront(points, measure.higherIsBetter ? 1 : -1) }];
  });
}

/** Architectures of which there are several systems that differ in their layers or in M. */
export function variationsOf(systems: readonly ReportSystem[]): ReportVariation[] {
  const architectures = [...new Set(systems.map(({ arch }) => arch))];
  return architectures.flatMap((arch) => {
    const own = systems.filter((system) => system.arch === arch);
    const byDepth = own.toSorted((a, b) => (a.layers?.length ?? 0) - (b.layers?.length ?? 0));
    const layers = byDepth.map((system) => ({ x: system.layers?.join(', ') ?? '', system: system.name }));
    const vectors = own
      .filter((system) => typeof system.vectors === 'number')
      .sort((a, b) => Number(a.vectors) - Number(b.vectors))
      .map((system) => ({ x: String(system.vectors), system: system.name }));
    return [
      { by: 'layers' as const, arch, points: layers },
      { by: 'vectors' as const, arch, points: vectors },
    ].filter(({ points }) => new Set(points.map(({ x }) => x)).size > 1);
  });
}

export function trainingOf(systems: readonly System[]): ReportTraining[] {
  return systems.flatMap(({ name, runs }) =>
    runs.flatMap(({ record: { training, seed } }): ReportTraining[] => {
      if (training === undefined || training.epochs.length === 0) return [];
      const epochs = training.epochs.map(({ epoch, loss, dev }) => ({ epoch, loss, dev }));
      return [{ system: name, seed, bestEpoch: training.bestEpoch, epochs }];
    }),
  );
}
