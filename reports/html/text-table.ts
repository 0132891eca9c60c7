/** A table of texts, with what has to be known of it below. Cells are as wide as prose, unless told to be as short as a number. */
import { escapeHtml } from './escape.js';

export function textTable(
  title: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
  legend: string,
  cellClass: 'text prose' | 'text' = 'text prose',
): string {
  const head = header.map((text) => `<th scope="col" class="text">${escapeHtml(text)}</th>`);
  const bodies = rows.map(([first = '', ...others]) => {
    const cells = others.map((text) => `<td class="${cellClass}">${escapeHtml(text)}</td>`);
    return `<tr><th scope="row">${escapeHtml(first)}</th>${cells.join('')}</tr>`;
  });
  return `<h3>${escapeHtml(title)}</h3>
<div class="wide" tabindex="0"><table><thead><tr>${head.join('')}</tr></thead>
<tbody>${bodies.join('\n')}</tbody></table></div>
<p class="faint">${escapeHtml(legend)}</p>`;
}
