/** How the sizes in a program that was recorded for several shapes depend on the shape. */

/** B texts of T tokens: what a program was recorded for. */
export interface BatchShape {
  batch: number;
  tokens: number;
}

/** constant + batch B + tokens T + product B T */
export interface Extent {
  constant: number;
  batch: number;
  tokens: number;
  product: number;
}

export const isFixed = ({ batch, tokens, product }: Extent): boolean =>
  batch === 0 && tokens === 0 && product === 0;

export const sizeAt = ({ constant, batch, tokens, product }: Extent, at: BatchShape): number =>
  constant + batch * at.batch + tokens * at.tokens + product * at.batch * at.tokens;

/** As a name of a dimension: `batch`, `sequence`, `sequence + 1`. */
export function formula({ constant, batch, tokens, product }: Extent): string {
  const term = (factor: number, name: string) =>
    factor === 0 ? [] : [factor === 1 ? name : `${factor} * ${name}`];
  const terms = [
    ...term(product, 'batch * sequence'),
    ...term(batch, 'batch'),
    ...term(tokens, 'sequence'),
    ...(constant === 0 ? [] : [String(constant)]),
  ];
  return terms.join(' + ') || '0';
}

/** The four shapes that settle an extent: each of two B with each of two T. */
export function settlingShapes(batches: readonly [number, number], tokens: readonly [number, number]) {
  return batches.flatMap((b) => tokens.map((t): BatchShape => ({ batch: b, tokens: t })));
}

/**
 * The one extent that gives these values.
 * @param values one for each of the shapes
 * @param shapes four that settle it, as `settlingShapes` gives them, and any number that must agree
 * @returns undefined where none does
 */
export function fitExtent(values: readonly number[], shapes: readonly BatchShape[]): Extent | undefined {
  const [low, , , high] = shapes as [BatchShape, BatchShape, BatchShape, BatchShape];
  const [v00, v01, v10, v11] = values as [number, number, number, number];
  const [db, dt] = [high.batch - low.batch, high.tokens - low.tokens];
  const product = (v11 - v10 - v01 + v00) / (db * dt);
  const batch = (v10 - v00) / db - product * low.tokens;
  const tokens = (v01 - v00) / dt - product * low.batch;
  const constant = v00 - batch * low.batch - tokens * low.tokens - product * low.batch * low.tokens;
  const extent = { constant, batch, tokens, product };
  const agrees =
    Object.values(extent).every(Number.isSafeInteger) &&
    shapes.every((shape, i) => sizeAt(extent, shape) === values[i]);
  return agrees ? extent : undefined;
}
