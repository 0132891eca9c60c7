/** What `bench evaluate` prints of slices of the queries. */

import type { Slices } from '../comparison.js';
import type { ReportComparison } from '../contracts.js';
import { counted } from '../counted.js';
import type { StoredRecord } from '../record.js';
import { probability } from './lines.js';
import { renderTable } from './table.js';

/** The corrected p over queries of one measure; `-` where no test could judge. */
export function pOf({ measures }: ReportComparison, id: string): string {
  return probability(measures.find(({ measure }) => measure === id)?.overQueries.correctedP);
}

/**
 * A table of the means of each run on each slice; below each but the first its p against the first.
 * @throws BenchError DATA_INVALID where the slices do not fit the queries
 */
export async function sliceText(records: readonly StoredRecord[], slices: Slices): Promise<string> {
  const { showSlices } = await import('../comparison.js');
  const shown = showSlices(records, slices);
  const ids = Object.keys(records[0]!.record.measures);
  const rows = shown.slices.flatMap(({ name, queryCount, systems }) =>
    systems.flatMap(({ system, cells }, i) => {
      const compared = shown.comparisons.find((each) => each.slice === name && each.candidate === system);
      const heading = i === 0 ? [name, String(queryCount)] : ['', ''];
      const means = [...heading, system, ...ids.map((id) => cells[id]?.value.toFixed(4) ?? '-')];
      return compared === undefined
        ? [means]
        : [means, ['', '', '  p', ...ids.map((id) => pOf(compared, id))]];
    }),
  );
  const table = renderTable(['slice', 'queries', 'run', ...ids], rows, `lrl${'r'.repeat(ids.length)}`, 3);
  const [first] = shown.comparisons;
  if (first === undefined) return table;
  return `${table}note: p of the slices: corrected by Holm over ${counted(first.familySize.overQueries, 'tests')} of all slices\n`;
}
