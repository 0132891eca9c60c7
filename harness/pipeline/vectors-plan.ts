/** What a run of a system of vectors would do, in lines for people: they differ in where the vectors come from. */

import type { BenchConfig } from '../config/config.js';
import { counted } from '../counted.js';
import { usualPrecision } from '../tensor/onnx/precision.js';
import { deviceLine } from './memory-needs.js';
import { diskLine, memoryLine } from './needs.js';
import type { RunRequest } from './run-request.js';
import type { Means, SystemPlan } from './system.js';

/** @param vectors lines of where the vectors come from */
export function planOfVectors(request: RunRequest, means: Means, vectors: readonly string[]): SystemPlan {
  const { config } = request;
  return {
    stages: [
      ...vectors,
      indexText(means, config),
      `search    the test queries, ${counted(config.search.depth, 'hits')} each, searcher ${means.builder ?? config.searcher}`,
      `engine    ${engineText(means, config)}`,
    ],
    async needs(passages) {
      const device = deviceLine(request, means, passages);
      return [
        `disk      ${await diskLine(request, means, passages)}`,
        `memory    ${memoryLine(request, means)}`,
        ...(device === undefined ? [] : [`device    ${device}`]),
      ];
    },
  };
}

/** Who builds it, where it is not the vectors themselves. */
const indexText = ({ builder }: Means, { index }: BenchConfig): string =>
  `index     ${index.kind}${builder === undefined ? '' : `, built by ${builder} and compared with the exact hits`}`;

/** What `auto` came to on this machine. */
export function engineText({ engine }: Means, config: BenchConfig): string {
  const { name, device, threads } = engine!;
  const chosen = config.engine === 'auto' ? ', chosen by auto' : '';
  return `${name} on ${device}, ${counted(threads, 'threads')}${chosen}`;
}

/** ` in int8`; nothing where it is the usual one. */
export const inPrecision = ({ precision }: Pick<BenchConfig['encode'], 'precision'>): string =>
  precision === usualPrecision ? '' : ` in ${precision}`;
