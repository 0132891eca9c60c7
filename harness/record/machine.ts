/** Facts about the machine and about this program. */
import { availableParallelism, cpus, type as osType, release, totalmem } from 'node:os';
import { describeProgram, type Program } from '../program/git.js';
import { memoryBytes } from '../program/memory.js';
import { processorName } from '../program/processor.js';
import type { MachineFacts } from './run-record.js';

export interface Surroundings extends Program {
  readonly machine: MachineFacts;
}

/** What a record says of the machine and of the version of this program. */
export async function describeMachine(): Promise<Surroundings> {
  const processors = cpus();
  const limit = memoryBytes();
  return {
    ...(await describeProgram()),
    machine: {
      cpu: processorName(),
      cores: processors.length,
      availableCores: availableParallelism(),
      memoryBytes: totalmem(),
      // Without a limit some kernels name one far above what there is.
      ...(limit < totalmem() && { memoryLimitBytes: limit }),
      os: `${osType()} ${release()} ${process.arch}`,
      node: process.versions.node,
    },
  };
}
