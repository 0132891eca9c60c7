/** Systems on slices of the queries, as reports show them. */
import type { ReportColumn, ReportSection } from '../../harness/contracts.js';
import { countOf } from './numbers.js';

/** Measures alone: what a system costs is known of all queries together. */
export const sliceColumns = ({ columns }: ReportSection): ReportColumn[] =>
  columns.filter(({ group }) => group === 'accuracy');

export function slicesLegend({ slices, baseline }: ReportSection): string {
  const first = slices?.comparisons[0];
  if (first === undefined) return '';
  return `* differs from ${baseline} over the queries of the slice (p < 0.05, corrected by Holm over ${countOf(first.familySize.overQueries, 'test')} of all slices).`;
}
