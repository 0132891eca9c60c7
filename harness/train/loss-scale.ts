/**
 * Dynamic loss scaling, as torch.amp.GradScaler has it: where products are of float16 numbers the loss is multiplied by a power of
 * two before it is differentiated, so that small gradients are not rounded to 0, and what comes out is divided by it again.
 */

/** Where it stands: a part of a training's state. */
export interface LossScaling {
  /** What the loss is multiplied by. */
  scale: number;
  /** Steps since it last changed. */
  unchanged: number;
  /** Steps whose gradient overflowed, after which nothing was updated. */
  skipped: number;
}

/** With a larger one AdamW would multiply squared gradients by numbers that float32 hardly has. */
const largestScale = 2 ** 40;
/** Steps without an overflow after which it is doubled. */
const growthSteps = 2000;

export const firstScaling = (): LossScaling => ({ scale: 2 ** 16, unchanged: 0, skipped: 0 });

/** What it is after a step. @param overflowed whether the gradient was not finite */
export function scalingAfter({ scale, unchanged, skipped }: LossScaling, overflowed: boolean): LossScaling {
  if (overflowed) return { scale: scale / 2, unchanged: 0, skipped: skipped + 1 };
  if (unchanged + 1 < growthSteps) return { scale, unchanged: unchanged + 1, skipped };
  return { scale: Math.min(2 * scale, largestScale), unchanged: 0, skipped };
}
