/** A report of some of the columns, in an order of one's own. */
import type { ReportSection } from '../contracts.js';
import { unknownName } from '../errors.js';
import type { StoredRecord } from '../record.js';

/** The measures among the ids of columns. */
export function measuresAmong(columns: readonly string[], records: readonly StoredRecord[]): string[] {
  return columns.filter((id) => records.some(({ record }) => Object.hasOwn(record.measures, id)));
}

/**
 * All in one table, whatever they are; charts of columns that are not shown go.
 * @param measures that the records hold, for the error
 * @throws BenchError UNKNOWN_NAME for a column that no section has
 */
export function withColumns(
  sections: readonly ReportSection[],
  wanted: readonly string[],
  measures: readonly string[],
): ReportSection[] {
  const costs = sections.flatMap(({ columns }) => columns.map(({ id }) => id));
  const known = [...new Set([...measures, ...costs])];
  for (const id of wanted) if (!known.includes(id)) throw unknownName('column', id, known);
  return sections.map((section) => ({
    ...section,
    columns: wanted.flatMap((id) => {
      const found = section.columns.find((column) => column.id === id);
      if (found === undefined) return [];
      const { detail: _, ...column } = found;
      return [column];
    }),
    fronts: section.fronts.filter(({ cost }) => wanted.includes(cost)),
  }));
}
