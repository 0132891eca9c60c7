/** How fast the steps of this process go. */
import type { TrainingFacts } from './training-facts.js';

/** The first steps of a process also compile; they say nothing about speed. */
const warmupSteps = 5;

export class StepClock {
  #steps = 0;
  #measured = 0;
  #passages = 0;
  #wallMs = 0;
  #engineMs = 0;

  /** Counts a step. */
  add({ passages, wallMs, engineMs }: { passages: number; wallMs: number; engineMs: number }): void {
    if (this.#steps++ < warmupSteps) return;
    this.#measured++;
    this.#passages += passages;
    this.#wallMs += wallMs;
    this.#engineMs += engineMs;
  }

  /** 0 where no step was measured. */
  facts(): Pick<TrainingFacts, 'stepsPerSecond' | 'passagesPerSecond' | 'javascriptShare'> {
    const rate = (count: number) => (this.#wallMs === 0 ? 0 : (1000 * count) / this.#wallMs);
    return {
      stepsPerSecond: rate(this.#measured),
      passagesPerSecond: rate(this.#passages),
      javascriptShare: this.#wallMs === 0 ? 0 : 1 - this.#engineMs / this.#wallMs,
    };
  }
}
