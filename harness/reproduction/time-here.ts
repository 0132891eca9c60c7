/** How long a grid takes on this machine, as far as its models and datasets are here to try. */
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { type TimeEstimate, type TimeEstimates, totalOf } from '../pipeline/estimate/time-estimate.js';
import { assertRequirements } from '../pipeline/requirements.js';
import type { Grid } from './grid.js';

export interface TimeHere {
  /** By run of the grid; null where nothing of it is known. */
  runs: readonly (TimeEstimate | null)[];
  /** Of what is known; what several runs share is counted for each, but for BM25's negatives. */
  seconds: number;
  /** Runs of which something is not known, with the reasons. */
  unknown: number;
  reasons: readonly string[];
  /** What they are made with, `onnx on cpu, 2 threads`; absent where nothing is trained. */
  engine?: string;
}

export async function timeHere({ runs }: Grid, times: Pick<TimeEstimates, 'of'>): Promise<TimeHere> {
  const found: (TimeEstimate | null)[] = [];
  const reasons = new Set<string>();
  let engine: string | undefined;
  for (const { request, counts, trainsOnly } of runs) {
    if (counts) {
      found.push({ stages: [], seconds: 0 });
      continue;
    }
    try {
      const means = await assertRequirements(request);
      if (means.engine)
        engine = `${means.engine.name} on ${means.engine.device}, ${counted(means.engine.threads, 'threads')}`;
      const whole = await times.of(request, means);
      const stages = trainsOnly ? whole.stages.filter(({ stage }) => isOfTraining(stage)) : whole.stages;
      for (const { seconds, basis } of stages) if (seconds === null) reasons.add(basis);
      const isKnown = stages.some(({ seconds }) => seconds !== null);
      found.push(
        isKnown ? { stages, seconds: stages.reduce((sum, each) => sum + (each.seconds ?? 0), 0) } : null,
      );
    } catch (error) {
      if (!(error instanceof BenchError) || error.code === 'INTERRUPTED') throw error;
      reasons.add(error.message);
      found.push(null);
    }
  }
  const known = found.filter((each) => each !== null);
  const { seconds, unknown } = totalOf(known);
  return {
    runs: found,
    seconds,
    unknown: unknown + found.length - known.length,
    reasons: [...reasons],
    ...(engine !== undefined && { engine }),
  };
}

const isOfTraining = (stage: string) =>
  stage === 'all' || stage === 'negatives' || /^(train|mine)/.test(stage);
