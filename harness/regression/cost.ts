/** Whether queries take longer or the index grew. */
import { deviceDifferences } from '../comparison/devices.js';
import { samplesOf } from '../comparison/latency.js';
import { firstOf, type System } from '../comparison/systems.js';
import type { ReportCheck } from '../contracts.js';
import { BenchError } from '../errors.js';
import { type Bootstrap, bootstrapRatio } from '../statistics/bootstrap.js';
import type { StatisticName } from '../statistics/resample.js';
import { median } from '../statistics/summary.js';
import type { PairedSystem } from './pairs.js';

export interface CostThresholds {
  /** How many times slower counts. */
  latencyRatio: number;
  /** By how many bytes an index may grow. */
  sizeBytes: number;
}

const checkedParts = ['encode', 'search', 'total'] as const;
/** What the pace of the machine is read off: parts that do different work, the first of them without the model or the index. */
const paceParts = ['tokenize', 'encode', 'search'] as const;
/** What a query costs when nothing disturbs it, and what it usually costs. */
const statistics = ['median', { quantile: 0.1 }] as const satisfies readonly StatisticName[];
const statisticNames = ['median', 'fastest tenth'] as const;

/**
 * Whether a part takes longer than `latencyRatio` times what it took, as seen in the median and in the fastest tenth of
 * its samples: what else a machine does moves the slow queries most, a slower program moves them all.
 *
 * A machine that is slower as a whole (a busy neighbour, a lower clock) moves every part alike. Its pace is the ratio of
 * the part that slowed down least, and every ratio is divided by it; so that a part that became faster does not make the
 * others look slower, a part must also be slower in itself, by the root of the threshold. A change that slows tokenizing,
 * encoding and searching by the same factor is therefore taken for the machine, and the detail shows the pace.
 *
 * The bootstrap interval knows the queries of these runs alone, not how the machine differed between them: that is what
 * the threshold is for.
 */
export function checkLatency(pair: PairedSystem, { latencyRatio }: CostThresholds): ReportCheck[] {
  const { baseline, current } = pair;
  if (baseline === undefined || current === undefined || !isTimed(baseline)) return [];
  const check = { system: pair.name, dataset: pair.dataset };
  if (!isTimed(current)) {
    return [
      { ...check, name: 'latency', verdict: 'not compared', detail: 'the new records hold no latencies' },
    ];
  }
  const differing = [...baseline.runs, ...current.runs]
    .map(({ record }) => deviceDifferences(firstOf(baseline), record))
    .find((list) => list.length > 0);
  if (differing !== undefined) {
    const detail = `measured on another device: ${differing.join('; ')}`;
    return [{ ...check, name: 'latency', verdict: 'not compared', detail }];
  }
  try {
    const paces = statistics.map((of) => paceOf(baseline, current, of));
    return checkedParts.flatMap((part) => checkPart(part, baseline, current, paces, latencyRatio, check));
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    return [{ ...check, name: 'latency', verdict: 'not compared', detail: error.message }];
  }
}

interface Pace {
  least: number;
  most: number;
}

function paceOf(baseline: System, current: System, of: StatisticName): Pace {
  const ratios = paceParts.flatMap((part) => {
    const samples = [samplesOf(baseline, part), samplesOf(current, part)];
    return samples.includes(undefined) ? [] : [ratioOf(samples[0]!, samples[1]!, of, 1).estimate];
  });
  // With fewer parts the machine cannot be told from the program.
  return ratios.length < 2
    ? { least: 1, most: 1 }
    : { least: Math.min(...ratios), most: Math.max(...ratios) };
}

function checkPart(
  part: (typeof checkedParts)[number],
  baseline: System,
  current: System,
  paces: readonly Pace[],
  threshold: number,
  check: { system: string; dataset: string },
): ReportCheck[] {
  const [before, now] = [samplesOf(baseline, part), samplesOf(current, part)];
  if (before === undefined || now === undefined) return [];
  const ratios = statistics.map((of) => ratioOf(before, now, of));
  const itself = Math.sqrt(threshold);
  const slower = ratios.every(
    ({ estimate, interval }, i) =>
      estimate / paces[i]!.least > threshold && estimate > itself && interval.low > 1,
  );
  const faster = ratios.every(
    ({ estimate, interval }, i) =>
      estimate / paces[i]!.most < 1 / threshold && estimate < 1 / itself && interval.high < 1,
  );
  const [middle, fastest] = ratios.map(describe);
  const [from, to] = [median(before), median(now)];
  const spared = slower ? undefined : sparedBy(ratios, paces, threshold);
  return [
    {
      ...check,
      name: `latency ${part}`,
      verdict: slower ? 'worse' : faster ? 'better' : 'same',
      baseline: from,
      current: to,
      unit: 'ms',
      detail: `median ${from.toPrecision(3)} ms to ${to.toPrecision(3)} ms: ${middle}; fastest tenth ${fastest}; pace of the machine ×${paces[0]!.least.toFixed(2)}`,
      ...(spared !== undefined && { spared }),
    },
  ];
}

/** Which statistic was over the threshold, and what kept it from counting; undefined where none was. */
function sparedBy(
  ratios: readonly Bootstrap[],
  paces: readonly Pace[],
  threshold: number,
): string | undefined {
  const over = ratios.flatMap(({ estimate }, i) => (estimate > threshold ? [i] : []));
  if (over.length === 0) return undefined;
  const times = (value: number) => `×${value.toFixed(2)}`;
  const flagged = over.map((i) => `${statisticNames[i]} ${times(ratios[i]!.estimate)}`).join(', ');
  const reasons = ratios.flatMap(({ estimate, interval }, i) => {
    const name = statisticNames[i];
    if (estimate <= threshold) return [`the ${name} took only ${times(estimate)}`];
    if (interval.low <= 1) return [`the interval of the ${name} holds ×1`];
    return estimate / paces[i]!.least <= threshold
      ? [`every part of the ${name} took at least ${times(paces[i]!.least)}, which is taken for the machine`]
      : [];
  });
  return `${flagged}, over the ${times(threshold)} of check.latencyRatio, and ${reasons.join('; ')}`;
}

const isTimed = ({ runs }: System): boolean => runs.every(({ record }) => record.latency !== undefined);

function ratioOf(before: number[], now: number[], of: StatisticName, resamples = 2000): Bootstrap {
  return bootstrapRatio(before, now, { of, paired: false, resamples });
}

function describe({ estimate, interval }: Bootstrap): string {
  return `×${estimate.toFixed(2)} (95 % ×${interval.low.toFixed(2)} to ×${interval.high.toFixed(2)})`;
}

/** Bytes are exact, so nothing has to be tested. */
export function checkSize(pair: PairedSystem, { sizeBytes }: CostThresholds): ReportCheck[] {
  const { baseline, current } = pair;
  if (baseline === undefined || current === undefined) return [];
  const before = largestIndex(baseline);
  const now = largestIndex(current);
  if (before === undefined || now === undefined) return [];
  const growth = now - before;
  const percent =
    before === 0 ? '' : `, ${growth < 0 ? '−' : '+'}${((100 * Math.abs(growth)) / before).toFixed(2)} %`;
  return [
    {
      system: pair.name,
      dataset: pair.dataset,
      name: 'size index',
      verdict: growth > sizeBytes ? 'worse' : growth < -sizeBytes ? 'better' : 'same',
      baseline: before,
      current: now,
      unit: 'bytes',
      detail: `${before} to ${now} bytes${growth === 0 ? '' : percent}`,
      ...(growth > 0 &&
        growth <= sizeBytes && {
          spared: `grew by ${growth} bytes, no more than the ${sizeBytes} of check.sizeBytes`,
        }),
    },
  ];
}

function largestIndex({ runs }: System): number | undefined {
  const sizes = runs.map(({ record }) => record.index?.sizeBytes.total);
  return sizes.includes(undefined) ? undefined : Math.max(...(sizes as number[]));
}
