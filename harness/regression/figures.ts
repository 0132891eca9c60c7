/** Figures as the details of checks have them. */

/** No digits that rounding alone left. */
export const trimmed = (value: number): string => String(Number(value.toFixed(6)));

export const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;

/** How sure: a p after correction. */
export function sure(p: number | undefined): string {
  if (p === undefined) return 'no p';
  return p < 0.001 ? 'corrected p < 0.001' : `corrected p ${p.toFixed(3)}`;
}
