/** What processes of other hosts leave in a store, without such hosts. For tests. */

/** The lease of this process, in milliseconds; `useLease` sets it. */
export const lease = 1000;

/** To be called before anything is asked of the store. */
export function useLease(): void {
  process.env.BENCH_LEASE_SECONDS = String(lease / 1000);
}

/** A process of another host, as names and locks begin. @param ms of its leases */
export const stranger = (ms: number): string => `2-aaaaaaaaaaaa-77-${ms}`;

/** However slow this machine is, it does not expire during a test. */
export const patient = stranger(600_000);
/** It does after `briefOver` milliseconds. */
export const brief = stranger(200);
export const briefOver = 400;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
export const nothing = async (): Promise<void> => undefined;
