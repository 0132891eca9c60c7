/** The learning rate of a step: a linear rise, then a linear fall to 0 (transformers' linear schedule with warm-up). */

/**
 * @param step from 0
 * @param steps of the whole training
 * @param warmup share of the steps over which the rate rises; the rise takes floor(warmup * steps) steps
 */
export function learningRateAt(step: number, steps: number, warmup: number, peak: number): number {
  const rising = Math.floor(warmup * steps);
  if (step < rising) return (peak * step) / rising;
  return (peak * Math.max(0, steps - step)) / Math.max(1, steps - rising);
}
