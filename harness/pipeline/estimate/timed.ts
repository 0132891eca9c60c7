/** Timing a piece of work that is repeated for a second, and how much of it that can be. */
import type { VectorModel } from '../../model/vector-encoder.js';
import { sizeOf } from '../../tensor/engine.js';

export interface Timed {
  /** One repetition takes so many. */
  seconds: number;
  /** What the first time took more: compiling. */
  startSeconds: number;
  times: number;
}

const enoughSeconds = 0.7;
const mostTimes = 20;
/** The first times are slower than those to come: three at least, unless they take very long. */
const fewestTimes = 3;
const longSeconds = 5;

/** Once to compile, then until enough time has passed for the other work of the machine to show, twenty times at most. */
export async function timed(work: () => Promise<unknown>): Promise<Timed> {
  const begun = performance.now();
  await work();
  const first = (performance.now() - begun) / 1000;
  const started = performance.now();
  let [times, spent] = [0, 0];
  do {
    await work();
    times++;
    spent = (performance.now() - started) / 1000;
  } while (times < mostTimes && (spent < enoughSeconds || (times < fewestTimes && spent < longSeconds)));
  const seconds = spent / times;
  return { seconds, startSeconds: Math.max(0, first - seconds), times };
}

/** What a processor with few cores computes in a second or so. */
const operations = 1e11;

/**
 * How many texts of so many tokens may be worked on at once; one at least.
 * @param passes 1 forward, 3 forward and backward
 */
export function affordable({ encoder }: Pick<VectorModel, 'encoder'>, passes: 1 | 3, tokens: number): number {
  const multiplied = encoder.parameters
    .filter(({ name, shape }) => shape.length === 2 && !/embedding|shared/i.test(name))
    .reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return Math.max(1, Math.floor(operations / (2 * passes * multiplied * tokens)));
}

/** Seconds as an estimate says them: `1.9 s`, `0.31 ms` */
export function spell(seconds: number): string {
  return seconds < 1 ? `${Number((1000 * seconds).toPrecision(2))} ms` : `${seconds.toFixed(1)} s`;
}
