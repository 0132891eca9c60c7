/** What systems do under load, the best accuracy for a cost, and what systems cost in money. */
import type { ReportSection } from '../../harness/contracts.js';
import { isoCostHead, isoCostLegend, isoCostRows } from '../format/iso-cost.js';
import { loadHead, loadLegend, loadRows } from '../format/load.js';
import { pricesHead, pricesLegend, pricesRows } from '../format/prices.js';
import { textTable } from './text-table.js';

/** Empty where no system has a cost. */
export function isoCostHtml(section: ReportSection): string {
  const { isoCost } = section;
  if (isoCost === undefined) return '';
  const rows = isoCostRows(section, isoCost);
  return textTable('Best for a cost', isoCostHead(isoCost), rows, isoCostLegend(isoCost));
}

/** Empty where nothing was measured under load. */
export function loadHtml({ load }: ReportSection): string {
  return load === undefined ? '' : textTable('Under load', loadHead, loadRows(load), loadLegend);
}

/** Empty where no prices were given. */
export function pricesHtml({ prices }: ReportSection): string {
  if (prices === undefined) return '';
  return textTable('Cost in money', pricesHead(prices), pricesRows(prices), pricesLegend(prices));
}
