/** The tables for a paper; needs the package booktabs. */
import type { Report, ReportCell, ReportColumn, ReportPlugin, ReportSection } from '../harness/contracts.js';
import { loadHead, loadLegend, loadRows } from './format/load.js';
import { formatCell, formatNumber, headingOf, marksOf, seedsOf, showsInterval } from './format/numbers.js';
import { pricesHead, pricesLegend, pricesRows } from './format/prices.js';
import { placeInterval, placesText, rankRows, ranksLegend } from './format/ranks.js';
import { sliceColumns, slicesLegend } from './format/slices.js';
import { headingOfSection, legendOf } from './format/words.js';

const report: ReportPlugin = {
  summary: 'a table that fits the column of a paper, with booktabs',
  extension: 'tex',
  shows: ['slice', 'prices'],
  render: ({ sections, title, label, columnsChosen }: Report) =>
    `% Needs \\usepackage{booktabs} and \\usepackage{graphicx}.\n${sections
      .map((section, i) =>
        [
          tableOf(section, columnsChosen === true ? section.columns : columnsForPaper(section), {
            ...(title !== undefined && { title }),
            // One label is one table.
            label: i === 0 && label !== undefined ? label : labelOf(section),
          }),
          ...furtherTables(section, columnsChosen === true),
        ].join('\n'),
      )
      .join('\n')}`,
};
export default report;

const groups = [
  ['accuracy', 'Accuracy'],
  ['size', 'Size'],
  ['build', 'Building'],
  ['answering', 'Answering'],
  ['latency', 'Latency'],
] as const;

/** Measures that a paper shows, the first of them first; then whatever else there is. */
const usualMeasures = ['answer@20', 'answer@100', 'success@20', 'mrr@10', 'ndcg@10', 'recall@100'];
const paperMeasures = 4;
const paperCosts = ['index-bytes', 'search-ms'];

/** Six at most: four measures, the index, the search. */
function columnsForPaper({ columns }: ReportSection): ReportColumn[] {
  const accuracies = columns.filter(({ group }) => group === 'accuracy');
  const usual = accuracies.filter(({ id }) => usualMeasures.includes(id));
  const others = accuracies.filter(({ id }) => !usualMeasures.includes(id));
  const shown = [...usual, ...others].slice(0, paperMeasures);
  return [
    ...accuracies.filter((column) => shown.includes(column)),
    ...columns.filter(({ id }) => paperCosts.includes(id)),
  ];
}

const labelOf = ({ dataset: { name, split } }: ReportSection) =>
  `tab:${`${name}-${split}`.replace(/[^A-Za-z0-9-]+/g, '-')}`;

function tableOf(
  section: ReportSection,
  columns: readonly ReportColumn[],
  { title, label }: { title?: string; label: string },
): string {
  const { systems } = section;
  const spans = spansOf(columns);
  let at = 2;
  const rules = spans.map(({ count }) => {
    const rule = `\\cmidrule(lr){${at}-${at + count - 1}}`;
    at += count;
    return rule;
  });
  // Where all have the same, the caption says it.
  const seeds = [...new Set(systems.map((system) => seedsOf(system.seeds)))];
  const rows = systems.flatMap((system) => {
    const { name, cells, notMeasured = {} } = system;
    const numbers = columns.map((column) =>
      notMeasured[column.id] === undefined ? numberOf(cells[column.id], column) : 'not measured',
    );
    const intervals = columns.map((column) => intervalOf(cells[column.id], column));
    const own = seeds.length > 1 ? ` (${seedsOf(system.seeds)})` : '';
    const row = [escapeLatex(`${name}${own}`), ...numbers].join(' & ');
    // On a line of their own they widen the columns least.
    return intervals.every((text) => text === '') ? [row] : [row, ['', ...intervals].join(' & ')];
  });
  const shown = { ...section, columns };
  const legend = legendOf(shown, 'Bold', 'underlined', 'Below');
  const told = seeds.length === 1 && seeds[0] !== '–' ? ` ${capitalized(seeds[0]!)}.` : '';
  return `\\begin{table}
\\centering
\\setlength{\\belowcaptionskip}{4pt}
\\caption{${escapeLatex(`${title ?? headingOfSection(section)}.${told} ${legend}`)}}
\\label{${label.replace(/[{}\\%#~^]/g, '')}}
\\small
\\setlength{\\tabcolsep}{3pt}
% Made smaller where it is wider than the column, and left as it is where it is not.
\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%
\\begin{tabular}{l${'r'.repeat(columns.length)}}
\\toprule
${spans.map(({ title: span, count }) => ` & \\multicolumn{${count}}{c}{${span}}`).join('')} \\\\
${rules.join(' ')}
System${columns.map((column) => ` & ${escapeLatex(headingBelow(column))}`).join('')} \\\\
\\midrule
${rows.map((row) => `${row} \\\\\n`).join('')}\\bottomrule
\\end{tabular}}
\\end{table}
`;
}

/** What stands behind the table of all queries. @param chosen whether its columns were, so that nothing is shown that was not asked for */
function furtherTables(section: ReportSection, chosen: boolean): string[] {
  const { load, ranks, slices, prices } = section;
  const tables: string[] = [];
  if (load !== undefined && !chosen)
    tables.push(plainTable(section, 'under load', loadLegend, 2, loadHead, loadRows(load).map(escaped)));
  if (ranks !== undefined && !chosen) {
    const rows = rankRows(ranks).map(({ system, cells }) => [
      system,
      ...cells.map((cell) => cell && `${placesText(cell.places)} (${placeInterval(cell.interval)})`),
    ]);
    const head = ['System', ...ranks.measures.map(({ measure }) => measure)];
    const told = rows.map((row) => escaped(row.map((cell) => cell ?? '–')));
    tables.push(plainTable(section, 'places', ranksLegend(ranks), 1, head, told));
  }
  if (slices !== undefined) {
    const columns = sliceColumns(section);
    const rows = slices.slices.flatMap(({ name, queryCount, systems }) =>
      systems.map(({ system, cells }) => [
        ...escaped([name, system, queryCount.toLocaleString('en-US')]),
        ...columns.map((column) => numberOf(cells[column.id], column)),
      ]),
    );
    const head = ['Slice', 'System', 'Queries', ...columns.map(headingOf)];
    tables.push(plainTable(section, 'slices', slicesLegend(section), 2, head, rows));
  }
  if (prices !== undefined) {
    const rows = pricesRows(prices).map(escaped);
    tables.push(plainTable(section, 'prices', pricesLegend(prices), 1, pricesHead(prices), rows));
  }
  return tables;
}

const escaped = (cells: readonly string[]): string[] => cells.map(escapeLatex);

/** @param texts how many columns hold texts, before those of numbers @param rows in LaTeX */
function plainTable(
  section: ReportSection,
  what: string,
  legend: string,
  texts: number,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `${cells.join(' & ')} \\\\\n`;
  return `\\begin{table}
\\centering
\\setlength{\\belowcaptionskip}{4pt}
\\caption{${escapeLatex(`${headingOfSection(section)}, ${what}. ${legend}`.trim())}}
\\label{${labelOf(section)}-${what.split(' ').at(-1)}}
\\small
\\setlength{\\tabcolsep}{3pt}
\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%
\\begin{tabular}{${'l'.repeat(texts)}${'r'.repeat(head.length - texts)}}
\\toprule
${line(escaped(head))}\\midrule
${rows.map(line).join('')}\\bottomrule
\\end{tabular}}
\\end{table}
`;
}

/** Where all of accuracy are percent the title above them says so: four signs less to be fitted into a column. */
const inPercent = ({ group, unit }: ReportColumn) => group === 'accuracy' && unit === 'share';
const headingBelow = (column: ReportColumn) => (inPercent(column) ? column.label : headingOf(column));

/** Neighbours of one group stand under its title, whatever order the columns have. */
function spansOf(columns: readonly ReportColumn[]): { title: string; count: number }[] {
  const titles: Readonly<Record<string, string>> = Object.fromEntries(groups);
  const spans: { title: string; count: number }[] = [];
  for (const column of columns) {
    const title = `${titles[column.group]}${inPercent(column) ? ' (\\%)' : ''}`;
    const last = spans.at(-1);
    if (last !== undefined && last.title === title) last.count++;
    else spans.push({ title, count: 1 });
  }
  return spans;
}

function numberOf(cell: ReportCell | undefined, column: ReportColumn): string {
  if (cell === undefined) return '--';
  const number = escapeLatex(formatCell(cell, column));
  const marks = marksOf(cell).replace('*', '$^{*}$').replace('†', '$^{\\dagger}$');
  if (cell.place === 'best') return `\\textbf{${number}}${marks}`;
  return `${cell.place === 'second' ? `\\underline{${number}}` : number}${marks}`;
}

const capitalized = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}`;

function intervalOf(cell: ReportCell | undefined, column: ReportColumn): string {
  if (cell === undefined || !showsInterval(cell, column)) return '';
  const [low, high] = [cell.interval!.low, cell.interval!.high].map((end) =>
    escapeLatex(formatNumber(end, column.unit)),
  );
  return `{\\scriptsize [${low}, ${high}]}`;
}

const replacements: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '$<$',
  '>': '$>$',
  '±': '$\\pm$',
  '−': '$-$',
  '–': '--',
  '†': '$\\dagger$',
};

function escapeLatex(text: string): string {
  return (
    text
      .replace(/[\\~^<>±−–†]|[&%$#_{}]/g, (letter) => replacements[letter] ?? `\\${letter}`)
      // A sign that begins a line has lost its number.
      .replace(/(\d) (?=\\%)/g, '$1~')
  );
}
