/** Latencies of two systems as ratios, where they may be compared at all. */
import type { ReportLatencyRatio } from '../contracts.js';
import { BenchError } from '../errors.js';
import type { LatencyFacts, RunRecord } from '../record.js';
import { compareLatency, type LatencyComparison } from '../statistics/latency-ratio.js';
import { p99Missing, samplesForP99 } from '../statistics/percentile-samples.js';
import { deviceDifferences } from './devices.js';
import { firstOf, type System } from './systems.js';

const latencyParts = ['tokenize', 'encode', 'search', 'total'] as const;
type LatencyPart = (typeof latencyParts)[number];

export interface LatencyRatios {
  ratios: ReportLatencyRatio[];
  /** Why there are none, or what to mind. */
  notes: string[];
}

/** All samples of a part, run after run; undefined unless every run has some and all ran on one kind of device. */
export function samplesOf({ runs }: System, part: LatencyPart): number[] | undefined {
  const first = runs[0]!.record;
  if (runs.some(({ record }) => deviceDifferences(first, record).length > 0)) return undefined;
  const lists = runs.map(({ record }) => record.latency?.[part]?.samplesMs);
  return lists.every((list) => list !== undefined && list.length > 0)
    ? lists.flatMap((list) => list!)
    : undefined;
}

/** Median over median for each part that both systems have samples of. */
export function compareLatencies(baseline: System, candidate: System): LatencyRatios {
  const notes: string[] = [];
  for (const system of [baseline, candidate]) {
    if (firstOf(system).latency === undefined) notes.push(`${system.name} has no latencies`);
  }
  if (notes.length > 0) return { ratios: [], notes };
  const all = [...baseline.runs, ...candidate.runs].map(({ record }) => record);
  for (const record of all) {
    const differing = deviceDifferences(all[0]!, record);
    if (differing.length === 0) continue;
    const reason = `latencies of different devices are not compared: ${differing.join('; ')}`;
    return { ratios: [], notes: [reason] };
  }
  const paired = samplesMatch(baseline, candidate);
  if (!all.every((record) => tookTurns(record.latency!, all))) {
    notes.push('timed in separate runs: what else the machine did is in the ratios');
  }
  const ratios: ReportLatencyRatio[] = [];
  for (const part of latencyParts) {
    const a = samplesOf(baseline, part);
    const b = samplesOf(candidate, part);
    if (a === undefined || b === undefined) continue;
    const compared = tryCompare(a, b, paired);
    if (compared instanceof BenchError) {
      notes.push(`${part} is left out: ${compared.message}`);
      continue;
    }
    const { estimate, interval } = compared.ratioOfMedians;
    ratios.push({ part, ratio: estimate, interval: { low: interval.low, high: interval.high }, paired });
  }
  return { ratios, notes };
}

/** Whether sample i of one belongs to the same query as sample i of the other, all runs taken together. */
function samplesMatch(a: System, b: System): boolean {
  const queries = ({ runs }: System) =>
    runs.flatMap(({ record: { latency } }) =>
      Array.from({ length: latency?.rounds ?? 0 }, () => latency!.queryIds).flat(),
    );
  const left = queries(a);
  const right = queries(b);
  return left.length === right.length && left.every((queryId, i) => queryId === right[i]);
}

function tookTurns({ interleavedWith }: LatencyFacts, all: readonly RunRecord[]): boolean {
  return all.some(({ arch: { name } }) =>
    // Where others have the same architecture its settings stand behind it.
    interleavedWith.some((other) => other === name || /^ [([]/.test(afterPrefix(other, name))),
  );
}

function afterPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : '';
}

function tryCompare(a: number[], b: number[], paired: boolean): LatencyComparison | BenchError {
  try {
    return compareLatency(a, b, { paired });
  } catch (error) {
    if (error instanceof BenchError) return error;
    throw error;
  }
}

/** How many samples of searching it has, where they are too few for p99. */
export function fewSamples(system: System): number | undefined {
  const samples = samplesOf(system, 'search');
  return samples !== undefined && p99Missing(samples.length) !== undefined ? samples.length : undefined;
}

/** Why there is no p99, system by system where they differ in it. */
export function p99Notes(systems: readonly System[]): string[] {
  const few = systems.flatMap((system) => {
    const samples = fewSamples(system);
    return samples === undefined ? [] : [{ name: system.name, samples }];
  });
  return [...new Set(few.map(({ samples }) => samples))].map((samples) => {
    const alike = few.filter((each) => each.samples === samples).map(({ name }) => name);
    const who = alike.length === systems.length ? 'each system' : alike.join(', ');
    return `search p99 is ${p99Missing(samples)} of ${who}, and it takes ${samplesForP99.toLocaleString('en-US')}.`;
  });
}
