/** The report for a pull request or a README. */
import type {
  Report,
  ReportCell,
  ReportCheck,
  ReportColumn,
  ReportGrowth,
  ReportPlugin,
  ReportRanks,
  ReportSection,
  ReportTest,
  ReportUnit,
} from '../harness/contracts.js';
import { growthHead, growthHeading, growthLegend, growthRows, growthSubject } from './format/growth.js';
import { isoCostHead, isoCostLegend, isoCostRows } from './format/iso-cost.js';
import { loadHead, loadLegend, loadRows } from './format/load.js';
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
} from './format/numbers.js';
import { pricesHead, pricesLegend, pricesRows } from './format/prices.js';
import { placeInterval, placesText, rankRows, ranksLegend } from './format/ranks.js';
import { sliceColumns, slicesLegend } from './format/slices.js';
import { winnersLegend, winningVectors } from './format/winners.js';
import { checksInOrder, detailOf, headingOfSection, headlineOf, legendOf } from './format/words.js';

const report: ReportPlugin = {
  summary: 'tables for a README or a pull request',
  extension: 'md',
  shows: ['slice', 'prices'],
  render: ({ sections, growth = [], checks, title }: Report) =>
    `${title === undefined ? '' : `# ${escapeMarkdown(title)}\n\n`}${[...growth.map(growthText), ...sections.map(sectionText), ...(checks === undefined ? [] : [checkText(checks)])].join('\n')}`,
};
export default report;

function sectionText(section: ReportSection): string {
  const { columns, comparisons, winners, notes } = section;
  const parts = [
    `## ${escapeMarkdown(headingOfSection(section))}\n`,
    systemsTable(
      section,
      columns.filter(({ detail }) => detail !== true),
    ),
    `${escapeMarkdown(legendOf(section, 'Bold', 'underlined', 'Beside'))}\n`,
  ];
  const details = columns.filter(({ detail }) => detail === true);
  if (details.length > 0) parts.push(`### Costs in detail\n\n${systemsTable(section, details)}`);
  if (section.ranks !== undefined) parts.push(ranksText(section.ranks));
  const { isoCost, load, prices } = section;
  if (load !== undefined) parts.push(textTable('Under load', loadHead, loadRows(load), loadLegend));
  if (isoCost !== undefined) {
    const rows = isoCostRows(section, isoCost);
    parts.push(textTable('Best for a cost', isoCostHead(isoCost), rows, isoCostLegend(isoCost)));
  }
  if (prices !== undefined) {
    parts.push(textTable('Cost in money', pricesHead(prices), pricesRows(prices), pricesLegend(prices)));
  }
  if (section.slices !== undefined) parts.push(slicesText(section, section.slices));
  if (winners.length > 0) parts.push(winnersText(section));
  if (comparisons.length > 0) parts.push(comparisonText(section));
  if (notes.length > 0) parts.push(notes.map((note) => `- ${escapeMarkdown(note)}\n`).join(''));
  return parts.join('\n');
}

function systemsTable({ systems }: ReportSection, columns: readonly ReportColumn[]): string {
  const header = ['system', 'seeds', ...columns.map(headingOf)];
  const rows = systems.map(({ name, seeds, cells, notMeasured = {} }) => [
    escapeMarkdown(name),
    seedsOf(seeds),
    ...columns.map((column) =>
      notMeasured[column.id] === undefined ? cellText(cells[column.id], column) : 'not measured',
    ),
  ]);
  return table(header, rows, 2);
}

function cellText(cell: ReportCell | undefined, column: ReportColumn): string {
  if (cell === undefined) return '–';
  const text = `${formatCell(cell, column)}${escapeMarkdown(marksOf(cell))}`;
  const marked =
    cell.place === 'best' ? `**${text}**` : cell.place === 'second' ? `<ins>${text}</ins>` : text;
  return showsInterval(cell, column) ? `${marked} (${formatInterval(cell.interval!, column.unit)})` : marked;
}

function ranksText(ranks: ReportRanks): string {
  const rows = rankRows(ranks).map(({ system, cells }) => [
    escapeMarkdown(system),
    ...cells.map((cell) =>
      cell === undefined ? '–' : `${placesText(cell.places)} (${placeInterval(cell.interval)})`,
    ),
  ]);
  const header = ['system', ...ranks.measures.map(({ measure }) => measure)];
  return `### Places\n\n${table(header, rows, 1)}\n${escapeMarkdown(ranksLegend(ranks))}\n`;
}

function slicesText(section: ReportSection, { slices }: NonNullable<ReportSection['slices']>): string {
  const columns = sliceColumns(section);
  const rows = slices.flatMap(({ name, queryCount, systems }) =>
    systems.map(({ system, cells }) => [
      ...[name, system].map(escapeMarkdown),
      queryCount.toLocaleString('en-US'),
      ...columns.map((column) => cellText(cells[column.id], column)),
    ]),
  );
  const header = ['slice', 'system', 'queries', ...columns.map(headingOf)];
  return `### Slices\n\n${table(header, rows, 2)}\n${escapeMarkdown(slicesLegend(section))}\n`;
}

function winnersText({ winners }: ReportSection): string {
  const rows = winners.map((line) => [
    escapeMarkdown(line.system),
    line.on,
    line.total.toLocaleString('en-US'),
    escapeMarkdown(winningVectors(line)),
  ]);
  return `### Which vector wins\n\n${table(['system', 'on', 'of', 'vectors that win'], rows, 2)}\n${winnersLegend}\n`;
}

function comparisonText(section: ReportSection): string {
  const header = [
    'against',
    'system',
    'measure',
    'over',
    'test',
    'difference',
    '95 % interval',
    'p',
    'corrected p',
    'effect',
    'wins/ties/losses',
  ];
  const rows = section.comparisons.flatMap(({ baseline, candidate, measures, latency }) => {
    const names = [baseline, candidate].map(escapeMarkdown);
    return [
      ...measures.flatMap(({ measure, seeds, overQueries, overSeeds }) => [
        [...names, measure, 'queries', ...testCells(overQueries, unitOf(section, measure))],
        // One seed is no sample of seeds.
        ...(seeds.length > 1
          ? [[...names, measure, 'seeds', ...testCells(overSeeds, unitOf(section, measure))]]
          : []),
      ]),
      ...latency.map(({ part, ratio, interval, paired }) => [
        ...names,
        `${part} latency`,
        paired ? 'queries' : 'samples, not paired',
        'ratio of medians',
        `×${formatNumber(ratio, 'ms')}`,
        `×${formatNumber(interval.low, 'ms')} to ×${formatNumber(interval.high, 'ms')}`,
        ...Array.from({ length: 4 }, () => '–'),
      ]),
    ];
  });
  return `### Differences\n\n${table(header, rows, 5)}`;
}

function testCells(test: ReportTest, unit: ReportUnit): string[] {
  return [
    test.test,
    formatSigned(test.difference, unit),
    test.interval === undefined ? '–' : formatInterval(test.interval, unit),
    escapeMarkdown(formatP(test.p)),
    escapeMarkdown(formatP(test.correctedP)),
    escapeMarkdown(formatEffect(test.effectSize)),
    `${test.wins}/${test.ties}/${test.losses}`,
  ];
}

function growthText(growth: ReportGrowth): string {
  const rows = growthRows(growth).map((row) => row.map(escapeMarkdown));
  const notes = growth.notes.map((note) => `- ${escapeMarkdown(note)}\n`).join('');
  const title = `${growthHeading}: ${escapeMarkdown(growthSubject(growth))}`;
  return `## ${title}\n\n${table(growthHead(growth), rows, 1)}\n${growthLegend(growth)}\n${notes === '' ? '' : `\n${notes}`}`;
}

function checkText(checks: readonly ReportCheck[]): string {
  const groups = checksInOrder(checks).map(({ title, checks: own }) => checkList(title, own));
  return [`## bench check: ${headlineOf(checks)}\n`, ...groups].join('\n');
}

function checkList(title: string, checks: readonly ReportCheck[]): string {
  const rows = checks.map((check) =>
    [check.dataset, check.system, check.name, detailOf(check)].map(escapeMarkdown),
  );
  return `### ${title}\n\n${table(['dataset', 'system', 'what', 'by how much, how sure'], rows, 4)}`;
}

function textTable(
  title: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
  legend: string,
): string {
  const escaped = rows.map((row) => row.map(escapeMarkdown));
  return `### ${title}\n\n${table(header.map(escapeMarkdown), escaped, header.length)}\n${escapeMarkdown(legend)}\n`;
}

/** @param left how many columns are aligned to the left */
function table(header: readonly string[], rows: readonly (readonly string[])[], left: number): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return line(header) + line(header.map((_, i) => (i < left ? '---' : '---:'))) + rows.map(line).join('');
}

/** Names and messages come from outside: nothing in them may act as markup. */
function escapeMarkdown(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/([\\`*_[\]|~])/g, '\\$1');
}
