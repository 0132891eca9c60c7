/** In what the numbers of reports count. */

/** How a number is to be read: `share` is shown in percent. */
export type ReportUnit = 'share' | 'bytes' | 'ms' | 's' | 'J' | 'count';
