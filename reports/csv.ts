/** The table of systems for a spreadsheet: a row for each system, numbers in full. */
import { stringify } from 'csv-stringify/sync';
import type { Report, ReportPlugin, ReportSection } from '../harness/contracts.js';
import { harmless } from './format/spreadsheet.js';

const report: ReportPlugin = {
  summary: 'one row per system for a spreadsheet, numbers in full',
  extension: 'csv',
  shows: ['prices'],
  render({ sections }: Report): string {
    const rows = sections.flatMap(rowsOf);
    // Sections may have other columns: a row leaves empty what it does not have.
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return stringify(rows, { header: true, columns, cast: { string: harmless } });
  },
};
export default report;

type Row = Record<string, string | number>;

function rowsOf({ dataset, baseline, columns, systems, comparisons, ranks, prices }: ReportSection): Row[] {
  return systems.map(({ name, arch, layers, vectors, seeds, device, cells, notMeasured }) => {
    const row: Row = {
      dataset: dataset.name,
      version: dataset.version,
      split: dataset.split,
      queries: dataset.queryCount,
      system: name,
      arch,
      layers: layers?.join(' ') ?? '',
      vectors: vectors ?? '',
      seeds: seeds.filter((seed) => seed !== null).join(' '),
      device,
      baseline: baseline ?? '',
    };
    const tested = comparisons.find(({ candidate }) => candidate === name);
    for (const { id, group } of columns) {
      const cell = cells[id];
      row[id] = cell?.value ?? (notMeasured?.[id] === undefined ? '' : 'not measured');
      if (group === 'accuracy') row[`${id} deviation`] = cell?.deviation ?? '';
      // Of these there are no intervals.
      if (group !== 'accuracy' && group !== 'latency') continue;
      row[`${id} low`] = cell?.interval?.low ?? '';
      row[`${id} high`] = cell?.interval?.high ?? '';
      if (group !== 'accuracy' || comparisons.length === 0) continue;
      const test = tested?.measures.find(({ measure }) => measure === id);
      row[`${id} difference`] = test?.overQueries.difference ?? '';
      row[`${id} corrected p`] = test?.overQueries.correctedP ?? '';
      row[`${id} corrected p over seeds`] = test?.overSeeds.correctedP ?? '';
      const ranked = ranks?.measures.find(({ measure }) => measure === id);
      const places = ranked?.systems.find(({ system }) => system === name)?.places;
      row[`${id} best place`] = places?.best ?? '';
      row[`${id} worst place`] = places?.worst ?? '';
    }
    const price = prices?.systems.find(({ system }) => system === name);
    if (prices !== undefined) {
      row[`${prices.currency} a million queries`] = price?.millionQueries?.value ?? '';
      row[`${prices.currency} a month`] = price?.month?.value ?? '';
    }
    return row;
  });
}
