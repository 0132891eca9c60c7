/** What a machine costs, by a table that the user writes: nothing of it is known to this program. */
export interface Prices {
  /** As it stands before amounts: `USD`. */
  currency: string;
  /** Of a gigabyte (10^9 bytes) kept for a month. */
  gbMonth: number;
  /** Of one virtual processor for an hour. */
  vcpuHour: number;
  /** Answered in a month; then a month's price is that of index and queries. */
  queriesPerMonth?: number;
}
