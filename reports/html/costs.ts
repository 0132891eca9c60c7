/** What systems do under load, the best accuracy for a cost, and what systems cost in money. */
import type { ReportSection } from '../../harness/contracts.js';
import { isoCostHead, isoCostLegend, isoCostRows } from '../format/iso-cost.js';
import { loadHead, loadLegend, loadRows } from '../format/load.js';
import { pricesHead, pricesLegend, pricesRows } from '../format/prices.js';
import { escapeHtml } from './escape.js';

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

function textTable(
  title: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
  legend: string,
): string {
  const head = header.map((text) => `<th scope="col" class="text">${escapeHtml(text)}</th>`);
  const bodies = rows.map(([first = '', ...others]) => {
    const cells = others.map((text) => `<td class="text prose">${escapeHtml(text)}</td>`);
    return `<tr><th scope="row">${escapeHtml(first)}</th>${cells.join('')}</tr>`;
  });
  return `<h3>${title}</h3>
<div class="wide" tabindex="0"><table><thead><tr>${head.join('')}</tr></thead>
<tbody>${bodies.join('\n')}</tbody></table></div>
<p class="faint">${escapeHtml(legend)}</p>`;
}
