/** The tables of the page. */
import type {
  ReportCell,
  ReportCheck,
  ReportColumn,
  ReportComparison,
  ReportSection,
} from '../../harness/contracts.js';
import {
  formatCell,
  formatEffect,
  formatInterval,
  formatNumber,
  formatP,
  formatSigned,
  headingOf,
  marksOf,
  seedsOf,
  showsInterval,
  unitOf,
} from '../format/numbers.js';
import { checksInOrder, detailOf, headlineOf, legendOf } from '../format/words.js';
import { escapeHtml } from './escape.js';
import { seriesCount } from './style.js';

/** The number that stands for a system in every chart, on its colour. */
export function numberHtml(index: number): string {
  return `<span class="number s${index % seriesCount}">${index + 1}</span>`;
}

const groupTitles = {
  accuracy: 'accuracy',
  size: 'size',
  build: 'building',
  answering: 'answering',
  latency: 'latency',
} as const;

export function systemsHtml(section: ReportSection): string {
  const [columns, details] = [false, true].map((wanted) =>
    section.columns.filter(({ detail = false }) => detail === wanted),
  );
  const more = details!.length === 0 ? '' : `\n<h3>Costs in detail</h3>\n${columnsHtml(section, details!)}`;
  return `${columnsHtml(section, columns!)}
<p class="faint">${escapeHtml(legendOf(section, 'Bold', 'underlined', 'Below'))}</p>${more}`;
}

function columnsHtml({ systems }: ReportSection, columns: readonly ReportColumn[]): string {
  const groupStart = (i: number) => columns[i]!.group !== columns[i - 1]?.group;
  // The percent sign stands once for a group that is all shares.
  const allShares = (group: ReportColumn['group']) =>
    columns.every((column) => column.group !== group || column.unit === 'share');
  const groups = (Object.keys(groupTitles) as (keyof typeof groupTitles)[])
    .map((group) => ({ group, count: columns.filter((column) => column.group === group).length }))
    .filter(({ count }) => count > 0)
    .map(
      ({ group, count }) =>
        `<th scope="colgroup" class="group middle" colspan="${count}">${groupTitles[group]}${allShares(group) ? ', %' : ''}</th>`,
    );
  const head = columns
    .map((column, i) => {
      const title = allShares(column.group) ? column.label : headingOf(column);
      return `<th scope="col"${groupStart(i) ? ' class="group"' : ''} title="${escapeHtml(column.description)}">${escapeHtml(title).replace('@', '<wbr>@')}</th>`;
    })
    .join('');
  const rows = systems.map(({ name, seeds, cells, notMeasured }, index) => {
    const row = columns
      .map((column, i) => cellHtml(cells[column.id], column, groupStart(i), notMeasured?.[column.id]))
      .join('');
    return `<tr><th scope="row">${numberHtml(index)} ${escapeHtml(name)}<small>${escapeHtml(seedsOf(seeds))}</small></th>${row}</tr>`;
  });
  return `<div class="wide" tabindex="0"><table>
<thead><tr><th></th>${groups.join('')}</tr>
<tr><th scope="col" class="text">system</th>${head}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}

/** @param notMeasured why there is no cell */
export function cellHtml(
  cell: ReportCell | undefined,
  column: ReportColumn,
  group: boolean,
  notMeasured?: string,
): string {
  const classes = [cell?.place, group ? 'group' : undefined].filter((name) => name !== undefined);
  const attribute = classes.length === 0 ? '' : ` class="${classes.join(' ')}"`;
  if (cell === undefined && notMeasured !== undefined)
    return `<td${attribute} title="${escapeHtml(notMeasured)}"><small>not measured</small></td>`;
  if (cell === undefined) return `<td${attribute}>–</td>`;
  const sorted = ` data-value="${cell.value}"`;
  const interval = cell.interval && escapeHtml(formatInterval(cell.interval, column.unit));
  const title = interval === undefined ? '' : ` title="95 %: ${interval}"`;
  const [text = '', deviation] = formatCell(cell, column).split('±');
  // An underline of the cell itself would run through the small line too.
  const number = cell.place === 'second' ? `<u>${escapeHtml(text)}</u>` : escapeHtml(text);
  const shown = showsInterval(cell, column) ? interval : undefined;
  const spread = deviation === undefined ? (shown ?? '') : `±${escapeHtml(deviation)}`;
  const small = spread === '' ? '' : `<small>${spread}</small>`;
  return `<td${attribute}${sorted}${title}>${number}${marksOf(cell)}${small}</td>`;
}

export function comparisonsHtml(section: ReportSection): string {
  const { comparisons } = section;
  if (comparisons.length === 0) return '';
  const bodies = comparisons.map(({ candidate, measures }) =>
    bodyHtml(
      candidate,
      measures.map(({ measure, overQueries, overSeeds }) => {
        const unit = unitOf(section, measure);
        const [queries, seeds] = [overQueries, overSeeds].map((test) => [
          formatSigned(test.difference, unit),
          test.interval === undefined ? '–' : formatInterval(test.interval, unit),
          formatP(test.correctedP),
        ]);
        const { wins, ties, losses, effectSize } = overQueries;
        return [measure, ...queries!, formatEffect(effectSize), `${wins}/${ties}/${losses}`, ...seeds!];
      }),
    ),
  );
  const three = ['difference', '95 % interval', 'corrected p'];
  const head = [...three, 'effect', 'wins/ties/losses', ...three].map(
    (title, i) => `<th scope="col"${i === 0 || i === 5 ? ' class="group"' : ''}>${title}</th>`,
  );
  const baseline = escapeHtml(comparisons[0]!.baseline);
  return `<h3>Differences to ${baseline}</h3>
<div class="wide" tabindex="0"><table class="dense">
<thead><tr><th colspan="2"></th><th scope="colgroup" class="group middle" colspan="5">over queries</th><th scope="colgroup" class="group middle" colspan="3">over seeds</th></tr>
<tr><th scope="col" class="text">system</th><th scope="col" class="text">measure</th>${head.join('')}</tr></thead>
${bodies.join('\n')}</table></div>
<p class="faint">Differences are system − ${baseline}: of measures in percent in points.</p>
${latencyHtml(comparisons)}`;
}

/** The rows of one system under one heading. */
function bodyHtml(name: string, rows: readonly (readonly string[])[]): string {
  const cells = rows.map(([first = '', ...others], i) => {
    const heading =
      i === 0 ? `<th scope="rowgroup" class="system" rowspan="${rows.length}">${escapeHtml(name)}</th>` : '';
    const tds = others.map(
      (text, at) => `<td${at === 0 || at === 5 ? ' class="group"' : ''}>${escapeHtml(text)}</td>`,
    );
    return `<tr>${heading}<td class="text">${escapeHtml(first)}</td>${tds.join('')}</tr>`;
  });
  return `<tbody>${cells.join('\n')}</tbody>`;
}

function latencyHtml(comparisons: readonly ReportComparison[]): string {
  const bodies = comparisons
    .filter(({ latency }) => latency.length > 0)
    .map(({ candidate, latency }) =>
      bodyHtml(
        candidate,
        latency.map(({ part, ratio, interval, paired }) => {
          const [of, low, high] = [ratio, interval.low, interval.high].map((value) =>
            formatNumber(value, 'ms'),
          );
          return [part, `×${of}`, `×${low} to ×${high}`, paired ? 'by query' : 'not paired'];
        }),
      ),
    );
  const told = new Map<string, string[]>();
  for (const { candidate, latencyNotes } of comparisons) {
    for (const note of latencyNotes) told.set(note, [...(told.get(note) ?? []), candidate]);
  }
  const notes = [...told].map(([note, names]) => `<li>${escapeHtml(`${names.join(', ')}: ${note}`)}</li>`);
  if (bodies.length === 0 && notes.length === 0) return '';
  const table =
    bodies.length === 0
      ? ''
      : `<div class="wide" tabindex="0"><table class="dense"><thead><tr><th scope="col" class="text">system</th><th scope="col" class="text">part</th><th scope="col" class="group">ratio of medians</th><th scope="col">95 % interval</th><th scope="col">paired</th></tr></thead>
${bodies.join('\n')}</table></div>`;
  return `<h3>Latency as a ratio to ${escapeHtml(comparisons[0]!.baseline)}</h3>${table}${notes.length === 0 ? '' : `<ul class="faint">${notes.join('')}</ul>`}`;
}

/** What changed and what got worse come first. */
export function checksHtml(checks: readonly ReportCheck[]): string {
  const ordered = checksInOrder(checks).flatMap((group) => group.checks);
  const rows = ordered.map((check) => {
    const { dataset, system, name, verdict } = check;
    const told = `<td class="text${verdict === 'worse' ? ' best' : ''}">${verdict}</td>`;
    const cells = [dataset, name].map((text) => `<td class="text">${escapeHtml(text)}</td>`);
    return `<tr><th scope="row">${escapeHtml(system)}</th>${cells.join('')}${told}<td class="text prose">${escapeHtml(detailOf(check))}</td></tr>`;
  });
  const head = ['system', 'dataset', 'what', 'verdict', 'by how much, how sure'].map(
    (title) => `<th scope="col" class="text">${title}</th>`,
  );
  return `<h2>Against the baseline: ${headlineOf(checks)}</h2>
<div class="wide" tabindex="0"><table><thead><tr>${head.join('')}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}
