/** Files of a collection that change while something is found out about them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { Dataset } from '../harness/contracts.js';
import { openDataset } from '../harness/pipeline/open-dataset.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import { Store } from '../harness/store/store.js';
import { passingFolder } from './places.js';

const root = passingFolder('edited-amid');

async function idsAt(dataset: Dataset, ordinal: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const { passageId } of dataset.passages().at!([ordinal])) ids.push(passageId);
  return ids;
}

test('DPR: a file that is edited while its places are found leaves no table of them', async () => {
  const folder = path.join(root, 'dpr edited');
  await mkdir(folder);
  const file = path.join(folder, 'psgs_w100.tsv');
  const rows = Array.from({ length: 70_000 }, (_, i) => `${i + 1}\tt\t\n`).join('');
  await writeFile(file, rows);
  await writeFile(path.join(folder, 'nq-test.qa.csv'), `what\t["end"]\n`);
  let edits = 0;
  const editing: Progress = {
    ...silentProgress(),
    stage(...asked) {
      edits++;
      writeFileSync(file, rows.replace('1\tt\t', '1\tother\t'));
      return silentProgress().stage(...asked);
    },
  };
  const store = new Store(path.join(root, 'edited'));
  const asked = { dataset: 'dpr/nq', data: folder, offline: true };
  const edited = await openDataset(asked, store, editing);
  await assert.rejects(idsAt(edited, 0), {
    code: 'DATA_INVALID',
    message: `${file} was changed while it was read.`,
  });
  assert.equal(edits, 1);
  // What it was again has no table yet.
  await writeFile(file, rows);
  const dataset = await openDataset(asked, store, silentProgress());
  assert.deepEqual(await idsAt(dataset, 69_999), ['70000']);
});
