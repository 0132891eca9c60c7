/** Which vectors win the maximum over a passage's vectors: a table, one line for each system and kind of hit. */
import type { ReportSection } from '../../harness/contracts.js';
import { winnersLegend, winningVectors } from '../format/winners.js';
import { escapeHtml } from './escape.js';
import { numberHtml } from './tables.js';

/** Empty where every system has one vector per passage. */
export function winnersHtml({ winners, systems }: ReportSection): string {
  if (winners.length === 0) return '';
  const bodies = systems.flatMap(({ name }, place) => {
    const own = winners.filter(({ system }) => system === name);
    const rows = own.map((line, i) => {
      const head = `<th scope="rowgroup" class="system" rowspan="${own.length}">${numberHtml(place)} ${escapeHtml(name)}</th>`;
      return `<tr>${i === 0 ? head : ''}<td class="text">${escapeHtml(line.on)}</td><td>${line.total.toLocaleString('en-US')}</td><td class="text prose">${escapeHtml(winningVectors(line))}</td></tr>`;
    });
    return own.length === 0 ? [] : [`<tbody>${rows.join('\n')}</tbody>`];
  });
  return `<h3>Which vector wins</h3>
<div class="wide" tabindex="0"><table class="dense"><thead><tr><th scope="col" class="text">system</th><th scope="col" class="text">on</th><th scope="col">of</th><th scope="col" class="text">vectors that win</th></tr></thead>
${bodies.join('\n')}</table></div>
<p class="faint">${escapeHtml(winnersLegend)}</p>`;
}
