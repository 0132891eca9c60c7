/** What scripts of the page work on, and the script itself. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ReportSection, ReportValues } from '../../harness/contracts.js';
import { seriesCount } from './style.js';

/** The script as it stands in every page; read from the sources, which hold it once. */
export const pageScript = readFileSync(new URL('../../../reports/html/explore.js', import.meta.url), 'utf8');

/** What the page's policy lets run: this script and no other. */
export const scriptHash = `'sha256-${createHash('sha256').update(pageScript).digest('base64')}'`;

/** Values of single queries that a page holds at most, a few megabytes; measures beyond them are left out. */
const mostValues = 1_000_000;

/** Hidden until the script fills it. */
export function exploreHtml(section: ReportSection): string {
  if (section.systems.length === 0) return '';
  const json = JSON.stringify(dataOf(section));
  // Nothing in it can end the element or begin another.
  return `<div class="explore" hidden><script type="application/json">${json.replace(/</g, '\\u003c')}</script></div>`;
}

function dataOf(section: ReportSection) {
  const { systems, columns, measure, queries, fronts } = section;
  const held = columns.filter(({ id }) => systems.some(({ cells }) => cells[id] !== undefined));
  const isTimed = (system: (typeof systems)[number]) => system.cells['search-ms'] !== undefined;
  // Latencies that must not be compared have no front; they can be chosen, but are not shown first.
  const isApart = systems.filter(isTimed).length > 1 && !fronts.some(({ cost }) => cost === 'search-ms');
  const costs = isApart ? ['index-bytes'] : ['search-ms', 'index-bytes'];
  const cost = costs.find((id) => held.some((column) => column.id === id));
  const place = (name: string | undefined) => systems.findIndex((system) => system.name === name);
  const pair = queries === undefined ? [0, Math.min(1, systems.length - 1)] : queries.systems.map(place);
  return {
    columns: held.map(({ id, label, unit }) => ({ id, label, unit })),
    x: cost ?? held[0]?.id,
    y: measure ?? held[0]?.id,
    colours: seriesCount,
    pair,
    systems: systems.map(({ name, settings, cells }) => ({
      name,
      settings: Object.entries(settings).filter(([key]) => differs(key, section)),
      cells: Object.fromEntries(
        Object.entries(cells).map(([id, { value, interval }]) => [
          id,
          [value, interval?.low ?? value, interval?.high ?? value],
        ]),
      ),
    })),
    ...queriesOf(section),
  };
}

/** What every system has tells none from another, apart from what it is made of. */
const always = ['model', 'layers', 'M', 'index'];

function differs(key: string, { systems }: ReportSection): boolean {
  return always.includes(key) || new Set(systems.map(({ settings }) => settings[key])).size > 1;
}

/**
 * Each query with its mean over the seeds, null for a system that has other queries: to seven digits, with which 1/99 and 1/100 of one seed
 * of many stay apart, so that the page counts as many equal queries as its table of tests.
 */
function queriesOf({ systems, columns, measure, values = [] }: ReportSection) {
  const ids = values[0]?.queryIds;
  if (ids === undefined || systems.length < 2) return {};
  const accuracies = columns.filter(({ group }) => group === 'accuracy').map(({ id }) => id);
  const ordered = [...new Set([...(measure === undefined ? [] : [measure]), ...accuracies])];
  const fitting = ordered.slice(0, Math.floor(mostValues / (ids.length * systems.length)));
  if (fitting.length === 0) return {};
  const measures = fitting.map((id) => [
    id,
    systems.map(({ name }) =>
      means(
        ids,
        values.filter(({ system }) => system === name),
        id,
      ),
    ),
  ]);
  return { queries: { ids, measures: Object.fromEntries(measures) } };
}

function means(ids: readonly string[], runs: readonly ReportValues[], measure: string): number[] | null {
  const lists = runs.map(({ queryIds, measures }) => {
    const position = new Map(queryIds.map((queryId, q) => [queryId, q]));
    return position.size === ids.length
      ? ids.map((id) => measures[measure]?.[position.get(id) ?? -1])
      : [undefined];
  });
  if (lists.length === 0 || lists.some((list) => list.includes(undefined))) return null;
  return ids.map((_, q) => {
    const sum = lists.reduce((total, list) => total + list[q]!, 0);
    return Number((sum / lists.length).toFixed(7));
  });
}
