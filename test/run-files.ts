/** What the run file of a record holds. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readRun } from '../harness/interchange/trec.js';
import type { RunRecord } from '../harness/record.js';

type Ran = Pick<RunRecord, 'run'>;

/** Passage ids and scores by query. @param out folder of the record */
export async function hitsIn(out: string, { run: file }: Ran): Promise<Map<string, [string, number][]>> {
  const { run: hits } = await readRun(path.join(out, file!.name));
  return new Map(
    [...hits].map(([queryId, { passageIds, scores }]) => [
      queryId,
      passageIds.map((id, i): [string, number] => [id, scores![i]!]),
    ]),
  );
}

/** Its lines. @param out folder of the record */
export async function linesIn(out: string, { run: file }: Ran): Promise<string[]> {
  return gunzipSync(await readFile(path.join(out, file!.name)))
    .toString('utf8')
    .trimEnd()
    .split('\n');
}
