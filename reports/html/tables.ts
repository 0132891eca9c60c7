/** The tables of the page. */
import type { ReportCell, ReportCheck, ReportColumn, ReportComparison, ReportSection } from '../../harness/contracts.js';
import {
  formatCell,
  formatInterval,
  formatNumber,
  formatP,
  formatSigned,
  headingOf,
  marksOf,
  seedsOf,
} from '../format/numbers.js';
import { legendOf } from '../format/words.js';
import { escapeHtml } from './escape.js';
import { seriesCount } from './style.js';

/** The number that stands for a system in every chart, on its colour. */
export function numberHtml(index: number): string {
  return `<span class="number s${index % seriesCount}">${index + 1}</span>`;
}

export function systemsHtml(section: ReportSection): string {
  const { columns, systems } = section;
  const groupStart = (i: number) => columns[i]!.group !== columns[i - 1]?.group;
  const head = columns
    .map(
      (column, i) =>
        `<th scope="col"${groupStart(i) ? ' class="group"' : ''} title="${escapeHtml(column.description)}">${escapeHtml(headingOf(column))}</th>`,
    )
    .join('');
  const rows = systems.map(({ name, seeds, cells }, index) => {
    const row = columns.map((column, i) => cellHtml(cells[column.id], column, groupStart(i))).join('');
    return `<tr><th scope="row">${numberHtml(index)} ${escapeHtml(name)}</th><td class="text">${escapeHtml(seedsOf(seeds))}</td>${row}</tr>`;
  });
  return `<div class="wide" tabindex="0"><table>
<caption>${escapeHtml(legendOf(section, 'Bold', 'underlined'))}</caption>
<thead><tr><th scope="col" class="text">system</th><th scope="col" class="text">seeds</th>${head}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}

function cellHtml(cell: ReportCell | undefined, column: ReportColumn, group: boolean): string {
  const classes = [cell?.place, group ? 'group' : undefined].filter((name) => name !== undefined);
  const attribute = classes.length === 0 ? '' : ` class="${classes.join(' ')}"`;
  if (cell === undefined) return `<td${attribute}>–</td>`;
  const title =
    cell.interval === undefined ? '' : ` title="95 %: ${escapeHtml(formatInterval(cell.interval, column.unit))}"`;
  const [number = '', deviation] = formatCell(cell, column).split('±');
  const spread = deviation === undefined ? '' : `<small>±${escapeHtml(deviation)}</small>`;
  return `<td${attribute}${title}>${escapeHtml(number)}${spread}${marksOf(cell)}</td>`;
}

export function comparisonsHtml(comparisons: readonly ReportComparison[]): string {
  if (comparisons.length === 0) return '';
  const rows = comparisons.flatMap(({ candidate, measures }) =>
    measures.map(({ measure, overQueries, overSeeds }) => {
      const cells = [overQueries, overSeeds].flatMap((test) => [
        formatSigned(test.difference, 'share'),
        test.interval === undefined ? '–' : formatInterval(test.interval, 'share'),
        formatP(test.correctedP),
      ]);
      const { wins, ties, losses, effectSize } = overQueries;
      const effect = effectSize === undefined ? '–' : `${effectSize.name} ${effectSize.value?.toFixed(2) ?? '∞'}`;
      const tds = [...cells.slice(0, 3), effect, `${wins}/${ties}/${losses}`, ...cells.slice(3)];
      return `<tr><th scope="row">${escapeHtml(candidate)}</th><td class="text">${escapeHtml(measure)}</td>${tds.map((td) => `<td>${escapeHtml(td)}</td>`).join('')}</tr>`;
    }),
  );
  const head = ['difference', '95 % interval', 'corrected p', 'effect', 'wins/ties/losses', 'over seeds', '95 % interval', 'corrected p'];
  return `<h3>Differences to ${escapeHtml(comparisons[0]!.baseline)}</h3>
<div class="wide" tabindex="0"><table><caption>In points of the measure; first over queries, then over seeds.</caption>
<thead><tr><th scope="col" class="text">system</th><th scope="col" class="text">measure</th>${head.map((title) => `<th scope="col">${title}</th>`).join('')}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>
${latencyHtml(comparisons)}`;
}

function latencyHtml(comparisons: readonly ReportComparison[]): string {
  const items = comparisons.flatMap(({ candidate, latency, latencyNotes }) => [
    ...latency.map(({ part, ratio, interval }) => {
      const [of, low, high] = [ratio, interval.low, interval.high].map((value) => `×${formatNumber(value, 'ms')}`);
      return `<li>${escapeHtml(candidate)}, ${escapeHtml(part)}: ${of} (${low} to ${high})</li>`;
    }),
    ...latencyNotes.map((note) => `<li>${escapeHtml(candidate)}: ${escapeHtml(note)}</li>`),
  ]);
  return items.length === 0 ? '' : `<h3>Latency as a ratio to ${escapeHtml(comparisons[0]!.baseline)}</h3><ul>${items.join('')}</ul>`;
}

export function checksHtml(checks: readonly ReportCheck[]): string {
  const rows = checks.map(({ dataset, system, name, verdict, detail }) => {
    const cells = [system, name, verdict, detail].map((text) => `<td class="text">${escapeHtml(text)}</td>`);
    return `<tr><th scope="row">${escapeHtml(dataset)}</th>${cells.join('')}</tr>`;
  });
  return `<h2>Against the baseline</h2><div class="wide" tabindex="0"><table><tbody>${rows.join('\n')}</tbody></table></div>`;
}
