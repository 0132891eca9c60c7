/** Everything a report shows, worked out from records. */
import type { Report, ReportSection } from '../contracts.js';
import { unknownName } from '../errors.js';
import { parseJson } from '../json.js';
import type { StoredRecord } from '../record.js';
import { growthOf } from './growth.js';
import { type ReportRequest, sectionOf } from './section.js';
import { assertSlicesFit } from './slices.js';
import { datasetOf, groupSystems } from './systems.js';

/**
 * One section for every dataset, version and split, in the order in which each comes first; those of failed runs alone, then those of means over datasets last.
 * @throws BenchError UNKNOWN_NAME for a measure, column or baseline that no section has
 */
export async function prepareReport(
  records: readonly StoredRecord[],
  request: ReportRequest,
  benchVersion: string,
): Promise<Report> {
  const groups = new Map<string, StoredRecord[]>();
  const add = (key: string, stored: StoredRecord) => groups.set(key, [...(groups.get(key) ?? []), stored]);
  const failed = records.filter(({ record }) => record.status === 'failed');
  for (const stored of records) {
    if (stored.record.status === 'ok') add(JSON.stringify(datasetOf(stored.record)), stored);
  }
  for (const stored of failed) {
    // How far it came may not have been far enough to know the version.
    const { name, split } = stored.record.dataset;
    const known = [...groups.keys()].find((key) => {
      const dataset = parseJson(key) as ReturnType<typeof datasetOf>;
      return dataset.name === name && dataset.split === split;
    });
    const own = JSON.stringify(datasetOf(stored.record));
    add(groups.has(own) ? own : (known ?? own), stored);
  }
  assertNames(records, [...groups.values()], request);
  if (request.slices !== undefined) assertSlicesFit(request.slices, records);
  const { columns, title, label } = request;
  const asked = columns === undefined ? request : { ...request, measures: measuresAmong(columns, records) };
  const whole: ReportSection[] = [];
  for (const group of groups.values()) whole.push(await sectionOf(group, asked));
  const held = [...new Set(records.flatMap(({ record }) => Object.keys(record.measures)))];
  const sections = columns === undefined ? whole : withColumns(whole, columns, held);
  // A mean over datasets comes after the datasets.
  sections.sort((a, b) => Number(a.dataset.members !== undefined) - Number(b.dataset.members !== undefined));
  const growth = growthOf(records, asked.measures).map((each) =>
    columns === undefined
      ? each
      : { ...each, columns: each.columns.filter(({ id }) => columns.includes(id)) },
  );
  return {
    createdAt: new Date().toISOString(),
    benchVersion,
    ...(title !== undefined && { title }),
    ...(label !== undefined && { label }),
    ...(columns !== undefined && { columnsChosen: true }),
    sections,
    ...(growth.length > 0 && { growth }),
  };
}

function assertNames(
  records: readonly StoredRecord[],
  groups: readonly (readonly StoredRecord[])[],
  { baseline, measures = [] }: ReportRequest,
): void {
  const held = [...new Set(records.flatMap(({ record }) => Object.keys(record.measures)))];
  for (const measure of measures) {
    if (!held.includes(measure)) throw unknownName('measure in these records', measure, held);
  }
  if (baseline === undefined) return;
  const names = [...new Set(groups.flatMap((group) => groupSystems(group).map(({ name }) => name)))];
  if (!names.includes(baseline)) throw unknownName('system', baseline, names);
}

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
