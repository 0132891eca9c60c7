/**
 * One page that holds everything: tables, charts, queries, and how each number was made. It fetches nothing. Where scripts run, the
 * reader can choose axes, sort and filter; where they do not, all that is told is there.
 */
import type { Report, ReportPlugin, ReportSection } from '../harness/contracts.js';
import { dayOf, daysOf, findingOf, headingOfSection } from './format/words.js';
import { type Figure, frontFigure, variationFigure } from './html/charts.js';
import { isoCostHtml, loadHtml, pricesHtml } from './html/costs.js';
import { differencesFigure, trainingFigures } from './html/curves.js';
import { draw } from './html/draw.js';
import { escapeHtml } from './html/escape.js';
import { exploreHtml, pageScript, scriptHash } from './html/explore.js';
import { growthFigures, growthHtml } from './html/growth.js';
import { recallFigures, recallTable } from './html/index-types.js';
import { provenanceHtml } from './html/provenance.js';
import { queriesHtml } from './html/queries.js';
import { ranksHtml } from './html/ranks.js';
import { slicesHtml } from './html/slices.js';
import { style } from './html/style.js';
import { checksHtml, comparisonsHtml, numberHtml, systemsHtml } from './html/tables.js';
import { winnersHtml } from './html/winners.js';

const report: ReportPlugin = {
  summary: 'one page with tables, charts and queries, to be opened anywhere',
  extension: 'html',
  needs: ['texts', 'values'],
  shows: ['slice', 'prices'],
  async render({
    sections,
    growth = [],
    checks,
    createdAt,
    benchVersion,
    title: named,
  }: Report): Promise<string> {
    const bodies: string[] = [];
    for (const each of growth) {
      const figures = await figuresHtml(growthFigures(each));
      bodies.push(`<section>${growthHtml(each)}${figures}</section>`);
    }
    for (const section of sections) bodies.push(await sectionHtml(section));
    const usual = sections.length === 0 ? 'Regression check' : 'Efficiency against accuracy';
    const title = escapeHtml(named ?? usual);
    // The policy forbids what the page does not do anyway, so that a mistake of ours or a passage's markup stays harmless.
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src ${scriptHash}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<h1>${title}</h1>
<p class="faint">Made by bench ${escapeHtml(benchVersion)} on <time datetime="${escapeHtml(createdAt)}">${escapeHtml(dayOf(createdAt))}</time>.</p>
${checks === undefined ? '' : checksHtml(checks)}
${bodies.join('\n')}
<script>${pageScript}</script>
</body>
</html>
`;
  },
};
export default report;

async function sectionHtml(section: ReportSection): Promise<string> {
  const { systems, fronts, notes } = section;
  const costs = await figuresHtml(fronts.map((front) => frontFigure(section, front)));
  const variations = await figuresHtml([
    variationFigure(section, 'layers'),
    variationFigure(section, 'vectors'),
  ]);
  const recalls = await figuresHtml(recallFigures(section));
  const training = await figuresHtml(trainingFigures(section));
  const differences = await figuresHtml([differencesFigure(section)]);
  const key = systems.map(({ name }, i) => `<li>${numberHtml(i)} ${escapeHtml(name)}</li>`).join('');
  const block = (title: string, figures: string) =>
    figures === ''
      ? ''
      : `<div class="block"><h3>${title}</h3><ul class="key legend">${key}</ul>${figures}</div>`;
  return `<section>
<h2>${escapeHtml(headingOfSection(section))}</h2>
${headlineHtml(section)}
${notes.length === 0 ? '' : `<ul class="faint">${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>`}
${systems.length === 0 ? '<p>No run was finished.</p>' : systemsHtml(section)}
${ranksHtml(section)}
${slicesHtml(section)}
${block('Accuracy against what it costs', costs)}
${exploreHtml(section)}
${loadHtml(section)}
${isoCostHtml(section)}
${pricesHtml(section)}
${block('What the index finds, and for how much', recalls)}
${recallTable(section)}
${block('What layers and vectors change', variations)}
${winnersHtml(section)}
${comparisonsHtml(section)}
${block('Training', training)}
${queriesHtml(section)}
${differences}
${provenanceHtml(section)}
</section>`;
}

/** What came out, before everything that it came of. */
function headlineHtml(section: ReportSection): string {
  const finding = findingOf(section);
  if (finding === '') return '';
  return `<p class="finding">${escapeHtml(finding)} <span class="faint">Runs of ${escapeHtml(daysOf(section))}.</span></p>`;
}

async function figuresHtml(figures: readonly (Figure | undefined)[]): Promise<string> {
  const drawn: string[] = [];
  for (const figure of figures) {
    if (figure === undefined) continue;
    const svg = await draw(figure.chart, figure.caption);
    drawn.push(`<figure>${svg}<figcaption>${escapeHtml(figure.caption)}</figcaption></figure>`);
  }
  return drawn.length === 0 ? '' : `<div class="charts">${drawn.join('\n')}</div>`;
}
