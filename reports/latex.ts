/** The table for a paper; needs the package booktabs. */
import type { Report, ReportPlugin, ReportSection } from '../harness/contracts.js';
import { formatCell, headingOf, marksOf, seedsOf } from './format/numbers.js';
import { headingOfSection, legendOf } from './format/words.js';

const report: ReportPlugin = {
  summary: 'tables for a paper, with booktabs',
  extension: 'tex',
  render: ({ sections }: Report) =>
    `% Needs \\usepackage{booktabs} and \\usepackage{graphicx}.\n${sections.map(tableOf).join('\n')}`,
};
export default report;

const groups = [
  ['accuracy', 'Accuracy'],
  ['size', 'Index'],
  ['latency', 'Latency'],
] as const;

function tableOf(section: ReportSection): string {
  const { systems } = section;
  const columns = section.columns.filter(({ detail }) => detail !== true);
  const spans = groups
    .map(([group, title]) => ({ title, count: columns.filter((column) => column.group === group).length }))
    .filter(({ count }) => count > 0);
  let at = 3;
  const rules = spans.map(({ count }) => {
    const rule = `\\cmidrule(lr){${at}-${at + count - 1}}`;
    at += count;
    return rule;
  });
  const rows = systems.map(({ name, seeds, cells }) =>
    [
      escapeLatex(name),
      escapeLatex(seedsOf(seeds)),
      ...columns.map((column) => {
        const cell = cells[column.id];
        if (cell === undefined) return '--';
        const number = escapeLatex(formatCell(cell, column));
        const marks = marksOf(cell).replace('*', '$^{*}$').replace('†', '$^{\\dagger}$');
        if (cell.place === 'best') return `\\textbf{${number}}${marks}`;
        return `${cell.place === 'second' ? `\\underline{${number}}` : number}${marks}`;
      }),
    ].join(' & '),
  );
  return `\\begin{table}
\\centering
\\caption{${escapeLatex(headingOfSection(section))}. ${escapeLatex(legendOf(section, 'Bold', 'underlined'))}}
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
