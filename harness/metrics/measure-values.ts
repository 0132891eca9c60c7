/** What an evaluation found, as a run record holds it. */
import type { RunRecord } from '../record.js';
import type { Evaluation } from './evaluate.js';

export function measureValues({ measures }: Evaluation): RunRecord['measures'] {
  return Object.fromEntries(
    [...measures].map(([id, { measure, mean, perQuery }]) => [
      id,
      {
        mean,
        higherIsBetter: measure.higherIsBetter,
        unit: measure.unit,
        description: measure.description,
        perQuery: Array.from(perQuery),
      },
    ]),
  );
}
