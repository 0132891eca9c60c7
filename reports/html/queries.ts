/** The queries that the two best systems differ on most, with what either found. */
import type { ReportHit, ReportQueryDifferences, ReportSection } from '../../harness/contracts.js';
import { formatNumber } from '../format/numbers.js';
import { escapeHtml } from './escape.js';

/** Letters of a passage that are shown. */
const longestText = 320;

export function queriesHtml({ queries, columns }: ReportSection): string {
  if (queries === undefined) return '';
  const { systems, measure, seed } = queries;
  const column = columns.find(({ id }) => id === measure)!;
  const { unit } = column;
  const number = (value: number) => escapeHtml(formatNumber(value, unit));
  const items = queries.queries
    .map(({ queryId, text, answers, values, hits }) => {
      const answer =
        answers === undefined
          ? ''
          : `<p class="faint">Answers: ${answers.map(escapeHtml).join('; ') || 'none'}</p>`;
      const title = text === undefined ? '' : `${escapeHtml(text)} `;
      const heading = `<h4>${title}<code class="faint">${escapeHtml(queryId)}</code></h4>`;
      if (hits.every((list) => list.length === 0)) {
        const both = [0, 1].map((i) => `${escapeHtml(systems[i]!)}: ${number(values[i]!)}`);
        return `<article class="query">${heading}${answer}<p>${both.join(', ')}</p></article>`;
      }
      const sides = [0, 1].map(
        (i) =>
          `<div><p><b>${escapeHtml(systems[i]!)}</b>: ${number(values[i]!)}</p>${hitsHtml(hits[i]!)}</div>`,
      );
      return `<article class="query">${heading}${answer}<div class="sides">${sides.join('')}</div></article>`;
    })
    .join('\n');
  const notes = queries.notes.map((note) => `<p class="faint">${escapeHtml(note)}</p>`).join('');
  return `<h3>Queries on which the two best differ most</h3>
<p class="faint">${escapeHtml(measure)} of ${escapeHtml(systems[0])} and ${escapeHtml(systems[1])}${seed === null ? '' : `, seed ${seed}`}: ${summaryOf(queries, column.higherIsBetter)}. A bar marks passages that are judged relevant.</p>
${notes}${items === '' ? '<p>They do not differ on any query.</p>' : items}`;
}

function summaryOf({ differences, systems }: ReportQueryDifferences, higherIsBetter: boolean): string {
  const more = differences.filter((difference) => difference > 0).length;
  const less = differences.filter((difference) => difference < 0).length;
  const [first, second] = higherIsBetter ? [more, less] : [less, more];
  const count = (value: number) => value.toLocaleString('en-US');
  return `${escapeHtml(systems[0])} is better on ${count(first)} queries, ${escapeHtml(systems[1])} on ${count(second)}, ${count(differences.length - first - second)} are equal`;
}

function hitsHtml(hits: readonly ReportHit[]): string {
  if (hits.length === 0) return '<p class="faint">No hits.</p>';
  const items = hits.map(({ passageId, score, relevance, title, text }) => {
    const heading = title === undefined || title === '' ? '' : `<b>${escapeHtml(title)}</b> `;
    const body = text === undefined ? '' : `${escapeHtml(shortened(text))} `;
    const about = [passageId, ...(score === undefined ? [] : [`score ${score.toPrecision(5)}`])];
    if (relevance !== undefined) about.push(`relevance ${relevance}`);
    const relevant = relevance !== undefined && relevance > 0 ? ' class="relevant"' : '';
    return `<li${relevant}>${heading}${body}<code class="faint">${escapeHtml(about.join(', '))}</code></li>`;
  });
  return `<ol>${items.join('')}</ol>`;
}

/** Cut between letters that belong together, not within a surrogate pair. */
function shortened(text: string): string {
  const letters = [...text];
  return letters.length <= longestText ? text : `${letters.slice(0, longestText).join('')}…`;
}
