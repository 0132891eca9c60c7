/** Run records as other tools write and read theirs: results of MTEB, metadata beside a TREC run. */
import path from 'node:path';
import { BenchError, unreadable } from '../errors.js';
import { parseJson, parsePythonJson } from '../json.js';
import { parseMeasures } from '../plugins/measures.js';
import {
  bareArchitecture,
  irMetadataOf,
  mtebFigures,
  mtebResultOf,
  newRecord,
  type RunRecord,
  readRecord,
  runElsewhere,
  writeRecord,
} from '../record.js';
import { mean } from '../statistics/summary.js';
import { writeAtomic, writeJson } from '../store/atomic.js';
import { describeFile } from '../store/hash-once.js';
import { removePartialsOf } from '../store/partials.js';
import { readPlainText } from '../store/plain-file.js';
import { assertFileTakes } from '../store/writable.js';

/** What `bench export` makes of a record, with what a file of it is. */
export const recordFormats = {
  mteb: "MTEB's result of a retrieval task, as mteb 2 reads it",
  ir_metadata: 'what made the run, as YAML to be handed around beside a TREC run',
} as const;
export type RecordFormat = keyof typeof recordFormats;

export interface RecordExport {
  record: string;
  format: RecordFormat;
  out: string;
  /** As mteb calls it; the dataset's name where absent. */
  task?: string;
  /** `eng-Latn` */
  languages?: readonly string[];
}

/** @throws BenchError RECORD_INVALID for what is no record, or has not what the format needs; as `assertFileTakes`, before it is read */
export async function exportRecord({
  record: file,
  format,
  out,
  task,
  languages,
}: RecordExport): Promise<void> {
  await assertFileTakes(out);
  const record = await readRecord(file);
  await removePartialsOf(out);
  if (format === 'mteb')
    await writeJson(out, mtebResultOf(record, task ?? record.dataset.name, languages ?? []));
  else await writeAtomic(out, await irMetadataOf(record));
}

export interface MtebImport {
  result: string;
  out: string;
  /** What the model is called; else by `model_meta.json` beside the result, or its folder. */
  tag?: string;
  split?: string;
}

/**
 * Writes MTEB's result of a retrieval task as a run record. A value of a record's measure belongs to a query; here each belongs
 * to a subset of the task, for mteb keeps means alone.
 * @throws BenchError PATH_INVALID, RECORD_INVALID; as `assertFileTakes`, before it is read
 */
export async function importMteb({ result: file, out, tag, split }: MtebImport): Promise<RunRecord> {
  await assertFileTakes(out);
  const figures = mtebFigures(await jsonOf(file), file, split);
  const { task, revision, mtebVersion, subsets, values } = figures;
  const members = subsets.map((subset) => (subsets.length === 1 ? task : `${task}/${subset}`));
  const measures = parseMeasures([...values.keys()]).map(
    ({ id, description, higherIsBetter, unit }) =>
      [
        id,
        { mean: mean(values.get(id)!), higherIsBetter, unit, description, perQuery: [...values.get(id)!] },
      ] as const,
  );
  const { name, sha256 } = await describeFile(file);
  const record = await newRecord({
    ...runElsewhere,
    config: {},
    arch: bareArchitecture(tag ?? (await nameBeside(file))),
    dataset: {
      ...{ name: `mteb:${task}`, version: revision, licence: null, files: [], passageCount: null },
      ...{ split: figures.split, counts: {}, ...(members.length > 1 && { members }) },
    },
    queryIds: members,
    measures: Object.fromEntries(measures),
    warnings: [
      `result file ${name}, sha256 ${sha256}, of mteb ${mtebVersion ?? 'in no version'}`,
      'mteb keeps means alone: what is said of queries is said of subsets of the task.',
    ],
  });
  await removePartialsOf(out);
  await writeRecord(out, record);
  return record;
}

async function jsonOf(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readPlainText(file);
  } catch (cause) {
    throw unreadable(file, cause);
  }
  try {
    // mteb writes NaN where a curve of abstention is flat (nauc_recall_at_1000, where recall is 1 throughout).
    return parsePythonJson(text);
  } catch (cause) {
    throw new BenchError('RECORD_INVALID', `${file} is not JSON: ${(cause as Error).message}.`, { cause });
  }
}

/** mteb lays results into a folder of the model, with `model_meta.json` beside them. */
async function nameBeside(file: string): Promise<string> {
  const folder = path.dirname(path.resolve(file));
  const text = await readPlainText(path.join(folder, 'model_meta.json')).catch(() => undefined);
  try {
    const { name } = (text === undefined ? {} : parseJson(text)) as { name?: unknown };
    if (typeof name === 'string' && name !== '') return name;
  } catch {
    // The folder's name has to do.
  }
  return path.basename(folder);
}
