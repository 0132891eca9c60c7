/** The loop that tinybench drives: one turn of a schedule after another, each timed alone. */
import { BenchError } from '../errors.js';

export interface DriveOptions {
  /** Turns run before the clock counts; the schedule is gone through from its start, again and again if need be. */
  warmup: number;
  turns: number;
  /** Runs one turn and keeps its own times. */
  run(turn: number, warming: boolean): Promise<void>;
  signal?: AbortSignal;
}

/**
 * Runs turns 0 to `turns` - 1 in order, once each, after the warm-up.
 *
 * One tinybench task stands for the whole schedule, because tinybench runs one task to its end before the next, and
 * systems are to be interleaved. It is told that the task is asynchronous, or it would call it once more to find out;
 * a time budget of 0 leaves the number of iterations alone to decide.
 * @returns what tinybench says of its timer
 * @throws BenchError INTERRUPTED on an abort; what `run` throws
 */
export async function drive({ warmup, turns, run, signal }: DriveOptions): Promise<string[]> {
  const { Bench } = await import('tinybench');
  // tinybench listens to its signal and never stops: each loop gives it one of its own.
  const own = new AbortController();
  const stop = () => own.abort();
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  const bench = new Bench({
    time: 0,
    iterations: turns,
    warmup: warmup > 0,
    warmupTime: 0,
    warmupIterations: warmup,
    throws: true,
    signal: own.signal,
  });
  const warnings: string[] = [];
  bench.addEventListener('warning', ({ reason }) => {
    warnings.push(saturation('the whole schedule', reason ?? 'saturated'));
  });
  let warming = true;
  let next = 0;
  bench.add('schedule', () => run(next++ % turns, warming), {
    async: true,
    beforeAll(mode) {
      warming = mode === 'warmup';
      next = 0;
    },
  });
  await bench.run().finally(() => signal?.removeEventListener('abort', stop));
  if (signal?.aborted === true) {
    throw new BenchError('INTERRUPTED', 'Measuring the latency was stopped; no figure is kept.', {
      hint: 'Start the same command again: what came before it is in the cache.',
    });
  }
  return warnings;
}

/**
 * tinybench's verdict on whether the timer was fine enough for these samples, as a warning; undefined where it was.
 * @param sorted milliseconds, ascending
 */
export async function timerWarning(what: string, sorted: Float64Array): Promise<string | undefined> {
  const { classifyTimerSaturation, medianAbsoluteDeviation } = await import('tinybench');
  type Samples = Parameters<typeof medianAbsoluteDeviation>[0];
  // tinybench brands arrays it has sorted itself.
  const samples = Array.from(sorted) as unknown as Samples;
  const reason = classifyTimerSaturation(samples, medianAbsoluteDeviation(samples));
  return reason === undefined ? undefined : saturation(what, reason);
}

const reasons: Readonly<Record<string, string>> = {
  'zero-dominated': 'most samples are 0',
  'low-distinct': 'few samples differ from each other',
  'zero-mad': 'half of the samples are equal',
};

function saturation(what: string, reason: string): string {
  return `The timer is too coarse for ${what}: ${reasons[reason] ?? reason} (tinybench: ${reason}).`;
}
