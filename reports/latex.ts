/** The tables for a paper; needs the package booktabs. */
import type { Report, ReportCell, ReportColumn, ReportPlugin, ReportSection } from '../harness/contracts.js';
import { formatCell, formatNumber, headingOf, marksOf, seedsOf, showsInterval } from './format/numbers.js';
import { headingOfSection, intervalLegend, legendOf } from './format/words.js';

const report: ReportPlugin = {
  summary: 'tables for a paper, with booktabs',
  extension: 'tex',
  render: ({ sections }: Report) =>
    `% Needs \\usepackage{booktabs} and \\usepackage{graphicx}.\n${sections.flatMap(tablesOf).join('\n')}`,
};
export default report;

const groups = [
  ['accuracy', 'Accuracy'],
  ['size', 'Index'],
  ['latency', 'Latency'],
] as const;

/** What a paper shows; then, as in the other reports, sizes by part, slow queries and throughput. */
function tablesOf(section: ReportSection): string[] {
  const heading = headingOfSection(section);
  const legend = legendOf(section, 'Bold', 'underlined') + intervalLegend(section, 'Below');
  const main = section.columns.filter(({ detail }) => detail !== true);
  const details = section.columns.filter(({ detail }) => detail === true);
  return [
    tableOf(section, main, `${heading}. ${legend}`),
    ...(details.length === 0 ? [] : [tableOf(section, details, `${heading}: size and throughput.`)]),
  ];
}

function tableOf({ systems }: ReportSection, columns: readonly ReportColumn[], caption: string): string {
  const spans = groups
    .map(([group, title]) => ({ title, count: columns.filter((column) => column.group === group).length }))
    .filter(({ count }) => count > 0);
  let at = 3;
  const rules = spans.map(({ count }) => {
    const rule = `\\cmidrule(lr){${at}-${at + count - 1}}`;
    at += count;
    return rule;
  });
  const rows = systems.flatMap(({ name, seeds, cells }) => {
    const numbers = columns.map((column) => {
      const cell = cells[column.id];
      if (cell === undefined) return '--';
      const number = escapeLatex(formatCell(cell, column));
      const marks = marksOf(cell).replace('*', '$^{*}$').replace('†', '$^{\\dagger}$');
      if (cell.place === 'best') return `\\textbf{${number}}${marks}`;
      return `${cell.place === 'second' ? `\\underline{${number}}` : number}${marks}`;
    });
    const intervals = columns.map((column) => intervalOf(cells[column.id], column));
    const named = [escapeLatex(name), escapeLatex(seedsOf(seeds)), ...numbers].join(' & ');
    // On a line of their own they widen the columns least.
    return intervals.every((text) => text === '') ? [named] : [named, ['', '', ...intervals].join(' & ')];
  });
  return `\\begin{table}
\\centering
\\caption{${escapeLatex(caption)}}
\\resizebox{\\linewidth}{!}{%
\\begin{tabular}{ll${'r'.repeat(columns.length)}}
\\toprule
 & ${spans.map(({ title, count }) => ` & \\multicolumn{${count}}{c}{${title}}`).join('')} \\\\
${rules.join(' ')}
System & Seeds${columns.map((column) => ` & ${escapeLatex(headingOf(column))}`).join('')} \\\\
\\midrule
${rows.map((row) => `${row} \\\\\n`).join('')}\\bottomrule
\\end{tabular}}
\\end{table}
`;
}

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
  return text.replace(/[\\~^<>±−–†]|[&%$#_{}]/g, (letter) => replacements[letter] ?? `\\${letter}`);
}
