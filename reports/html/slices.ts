/** Systems on slices of the queries. */
import type { ReportSection } from '../../harness/contracts.js';
import { headingOf } from '../format/numbers.js';
import { sliceColumns, slicesLegend } from '../format/slices.js';
import { escapeHtml } from './escape.js';
import { cellHtml, numberHtml } from './tables.js';

/** Empty where no slices were given. */
export function slicesHtml(section: ReportSection): string {
  if (section.slices === undefined) return '';
  const columns = sliceColumns(section);
  const head = columns.map((column) => `<th scope="col">${escapeHtml(headingOf(column))}</th>`);
  const bodies = section.slices.slices.map(({ name, queryCount, systems }) => {
    const rows = systems.map(({ system, cells }, i) => {
      const count = `<small>${queryCount.toLocaleString('en-US')} queries</small>`;
      const heading = `<th scope="rowgroup" class="system" rowspan="${systems.length}">${escapeHtml(name)}${count}</th>`;
      const index = section.systems.findIndex((each) => each.name === system);
      const tds = columns.map((column) => cellHtml(cells[column.id], column, false));
      return `<tr>${i === 0 ? heading : ''}<td class="text">${numberHtml(index)} ${escapeHtml(system)}</td>${tds.join('')}</tr>`;
    });
    return `<tbody>${rows.join('\n')}</tbody>`;
  });
  return `<h3>Slices of the queries</h3>
<div class="wide" tabindex="0"><table class="dense"><thead><tr><th scope="col" class="text">slice</th><th scope="col" class="text">system</th>${head.join('')}</tr></thead>
${bodies.join('\n')}</table></div>
<p class="faint">${escapeHtml(slicesLegend(section))}</p>`;
}
