/** Places of systems: those that the tests leave open, and who shares them. */
import type { ReportSection } from '../../harness/contracts.js';
import { placeInterval, placesText, rankRows, ranksLegend } from '../format/ranks.js';
import { escapeHtml } from './escape.js';
import { numberHtml } from './tables.js';

/** Empty where there is nothing to rank. */
export function ranksHtml({ ranks, systems }: ReportSection): string {
  if (ranks === undefined) return '';
  const head = ranks.measures.map(
    ({ measure }) => `<th scope="col">${escapeHtml(measure).replace('@', '<wbr>@')}</th>`,
  );
  const rows = rankRows(ranks).map(({ system, cells }) => {
    const index = systems.findIndex(({ name }) => name === system);
    const tds = cells.map((cell) => {
      if (cell === undefined) return '<td>–</td>';
      const title = cell.tied.length === 0 ? '' : ` title="tied with ${escapeHtml(cell.tied.join(', '))}"`;
      return `<td${title}>${placesText(cell.places)}<small>${placeInterval(cell.interval)}</small></td>`;
    });
    return `<tr><th scope="row">${numberHtml(index)} ${escapeHtml(system)}</th>${tds.join('')}</tr>`;
  });
  return `<h3>Places</h3>
<div class="wide" tabindex="0"><table><thead><tr><th scope="col" class="text">system</th>${head.join('')}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>
<p class="faint">${escapeHtml(ranksLegend(ranks).replace('In brackets', 'Below'))}</p>`;
}
