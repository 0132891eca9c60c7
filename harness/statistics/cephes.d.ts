/** The part of cephes that is used here: the package's own types are not reachable through its `exports`. */
declare module 'cephes' {
  /** Settles when the WebAssembly module can be called. */
  export const compiled: Promise<void>;
  /** Student's t: P(T <= t), `k` degrees of freedom. */
  export function stdtr(k: number, t: number): number;
  /** Student's t: the t with P(T <= t) = p. */
  export function stdtri(k: number, p: number): number;
  /** Standard normal: P(Z <= a). */
  export function ndtr(a: number): number;
  /** Standard normal: the z with P(Z <= z) = p. */
  export function ndtri(p: number): number;
  /** Binomial: P(X <= k) in n trials with probability p. */
  export function bdtr(k: number, n: number, p: number): number;
  /** log of the absolute value of the gamma function. */
  export function lgam(x: number): number;
  /** The x with I_x(a, b) = y, I being the regularized incomplete beta function. */
  export function incbi(a: number, b: number, y: number): number;
}
