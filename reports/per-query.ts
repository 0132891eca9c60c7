/** The value of every query: a row for each query of each run. */
import { stringify } from 'csv-stringify/sync';
import type { Report, ReportPlugin, ReportSection } from '../harness/contracts.js';
import { harmless } from './format/spreadsheet.js';

const report: ReportPlugin = {
  summary: 'one row per query and run, the value of every measure',
  extension: 'per-query.csv',
  needs: ['values'],
  render({ sections }: Report): string {
    const columns = ['dataset', 'version', 'split', 'system', 'seed', 'query'];
    const measures = new Set(
      sections.flatMap(({ values = [] }) => values.flatMap((run) => Object.keys(run.measures))),
    );
    return stringify(sections.flatMap(rowsOf), {
      header: true,
      columns: [...columns, ...measures],
      cast: { string: harmless },
    });
  },
};
export default report;

function rowsOf({ dataset: { name, version, split }, values = [] }: ReportSection) {
  return values.flatMap(({ system, seed, queryIds, measures }) =>
    queryIds.map((query, q) => ({
      ...{ dataset: name, version, split, system, seed: seed ?? '', query },
      ...Object.fromEntries(Object.entries(measures).map(([id, list]) => [id, list[q]!])),
    })),
  );
}
