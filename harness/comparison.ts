/** What run records say about each other: systems, their comparisons, and everything a report shows. */
export { type ComparisonRequest, compareRecords, failuresIn } from './comparison/compare.js';
export { type LoadedRuns, loadOf } from './comparison/load.js';
export { type PairPower, powerOfQueries, powerOfRecords, type QueryPower } from './comparison/power.js';
export { protocolCosts } from './comparison/protocol-costs.js';
export type { TextSource } from './comparison/queries.js';
export { prepareReport } from './comparison/report.js';
export type { ReportRequest } from './comparison/section.js';
export { compareSlices, type Slices, showSlices } from './comparison/slices.js';
