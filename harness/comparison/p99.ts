/** Which systems were timed too few times for a p99. */
import { p99Missing, samplesForP99 } from '../statistics/percentile-samples.js';
import { samplesOf } from './latency.js';
import type { System } from './systems.js';

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
