/** The processor that this process runs on. */
import { availableParallelism, cpus } from 'node:os';

/** As it calls itself: `AMD EPYC 7763 64-Core Processor`. */
export const processorName = (): string => cpus()[0]?.model.trim() ?? 'unknown';

/** @param asked null stands for as many as this process may use */
export const threadsOf = (asked: number | null): number => asked ?? availableParallelism();
