/** Several runs of one `bench evaluate`: one table, each run tested against the first. */

import { statSync } from 'node:fs';
import path from 'node:path';
import type { Slices } from '../comparison.js';
import type { ReportComparison } from '../contracts.js';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { jsonText } from '../json.js';
import { type RunRecord, recordSuffix, type StoredRecord, writeRecord } from '../record.js';
import { removePartialsOf } from '../store/partials.js';
import { assertFolderTakes } from '../store/writable.js';
import type { Print, Values } from './command.js';
import { testsOf } from './comparison-text.js';
import { type Evaluated, pOf, sliceText } from './evaluation-text.js';
import { noteLines } from './lines.js';
import { renderTable } from './table.js';

/** A run as the command line names it. */
export interface NamedRun {
  /** Absent where it goes by its tag. */
  name?: string;
  file: string;
}

/** `NAME=FILE`, or `FILE` where there is one of that name. @throws BenchError USAGE where two have one name */
export function runsOf(texts: readonly string[]): NamedRun[] {
  const runs = texts.map((text): NamedRun => {
    const equals = text.indexOf('=');
    const isFile = statSync(text, { throwIfNoEntry: false }) !== undefined;
    return isFile || equals < 1
      ? { file: text }
      : { name: text.slice(0, equals), file: text.slice(equals + 1) };
  });
  const names = runs.flatMap(({ name }) => name ?? []);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return runs;
  throw new BenchError('USAGE', `Two runs are named ${twice}.`, {
    hint: 'Give each a name: --run NAME=FILE.',
  });
}

/** The record under the name that the command line gives it. */
export function named(record: RunRecord, { name }: NamedRun): RunRecord {
  return name === undefined ? record : { ...record, arch: { ...record.arch, name } };
}

/** @returns the exit code @throws BenchError RECORD_INVALID where the runs do not have the same queries */
export async function evaluateSeveral(
  runs: readonly NamedRun[],
  values: Values,
  evaluateOne: (file: string) => Promise<Evaluated>,
  print: Print,
  slices?: Slices,
): Promise<number> {
  if (values['per-query'] === true) {
    throw new BenchError('USAGE', '--per-query goes with one run.', {
      hint: '--record DIR keeps the values of every query; bench report --format per-query lists them.',
    });
  }
  const stored: StoredRecord[] = [];
  for (const run of runs) {
    const record = named(await (await evaluateOne(run.file)).record(), run);
    stored.push({ file: `${record.arch.name}${recordSuffix}`, record });
  }
  assertComparable(runs, stored);
  const { compareRecords } = await import('../comparison.js');
  const comparisons = compareRecords(stored);
  const sliced = slices === undefined ? '' : `\n${await sliceText(stored, slices)}`;
  if (values.record !== undefined) await writeRecords(path.resolve(String(values.record)), stored);
  const records = stored.map(({ record }) => record);
  print(values.json === true ? jsonText(records) : `${tableText(records, comparisons)}${sliced}`);
  return 0;
}

function assertComparable(runs: readonly NamedRun[], stored: readonly StoredRecord[]): void {
  const names = stored.map(({ record }) => record.arch.name);
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice >= 0) {
    throw new BenchError('USAGE', `Two runs have the name ${names[twice]}, which their files give them.`, {
      hint: `Give each a name of its own: --run NAME=${runs[twice]!.file}`,
    });
  }
  const first = new Set(stored[0]!.record.queryIds);
  for (const { record } of stored) {
    const own = record.queryIds.filter((id) => !first.has(id));
    if (own.length === 0 && record.queryIds.length === first.size) continue;
    throw new BenchError(
      'RECORD_INVALID',
      `The runs do not have hits for the same judged queries: ${names[0]} for ${first.size}, ${record.arch.name} for ${record.queryIds.length}.`,
      { hint: 'With --complete a judged query without hits counts as 0 in every run.' },
    );
  }
}

/** Before anything is measured. @throws BenchError USAGE for the name of a record, and as `assertFolderTakes` */
export async function assertRecordsFolder(folder: string): Promise<void> {
  if (folder.endsWith(recordSuffix)) {
    throw new BenchError(
      'USAGE',
      `--record ${path.basename(folder)} is a file, and there are several runs.`,
      { hint: 'Name a folder: each run leaves NAME.record.json in it.' },
    );
  }
  await assertFolderTakes(folder);
}

async function writeRecords(folder: string, stored: readonly StoredRecord[]): Promise<void> {
  for (const { file, record } of stored) {
    const target = path.join(folder, file.replace(/[/\\]/g, '-'));
    await removePartialsOf(target);
    await writeRecord(target, record);
  }
}

function tableText(records: readonly RunRecord[], comparisons: readonly ReportComparison[]): string {
  const ids = Object.keys(records[0]!.measures);
  const rows = records.flatMap(({ arch, measures }, i) => {
    const means = [arch.name, ...ids.map((id) => measures[id]!.mean.toFixed(4))];
    const comparison = comparisons[i - 1];
    if (comparison === undefined) return [means];
    const ps = ids.map((id) => pOf(comparison, id));
    return [means, ['  p', ...ps]];
  });
  const table = renderTable(['run', ...ids], rows, `l${'r'.repeat(ids.length)}`, 1);
  return `${table}${noteLines(notesOf(records, comparisons))}`;
}

function notesOf(records: readonly RunRecord[], comparisons: readonly ReportComparison[]): string[] {
  const { baseline, measures, familySize } = comparisons[0]!;
  const queries = counted(records[0]!.queryIds.length, 'queries');
  // A note that holds for every run is said once.
  const warnings = records.flatMap(({ arch, warnings: own }) =>
    own
      // Which file it is stands in the record and on the command line.
      .filter((line) => line !== queries && !line.startsWith('run file '))
      .map((line) =>
        records.every((other) => other.warnings.includes(line)) ? line : `${arch.name}: ${line}`,
      ),
  );
  return [
    queries,
    `p: against ${baseline}, paired by query, by ${testsOf(measures)}; corrected by Holm over ${counted(familySize.overQueries, 'tests')}`,
    ...new Set(warnings),
  ];
}
