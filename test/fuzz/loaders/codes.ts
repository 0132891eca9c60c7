/** Files of codes that `exact` leaves. */
import path from 'node:path';
import { loadSearcher } from '../../../harness/plugins/searchers.js';
import { silentProgress } from '../../../harness/progress.js';
import { readLayout } from '../../../harness/searchers/exact/code-file.js';
import { type Candidates, CodeScan } from '../../../harness/searchers/exact/code-scan.js';
import { codeQuery, signQuery } from '../../../harness/searchers/exact/row-codes.js';
import { makeIndex, normalRows } from '../../made-index.js';
import { type Files, type Loader, UnfitResult } from '../loader.js';
import { checkNumbers } from '../results-checked.js';
import { written } from '../valid-files.js';

const [dimensions, rows] = [20, 9];
const codings = ['int8', 'binary'] as const;

async function codeFile(kind: string): Promise<Files> {
  const files = await written(async (folder) => {
    const index = await makeIndex(folder, normalRows(rows, dimensions, 'fuzz'), 1, 2);
    await index.close();
    const { builder } = await loadSearcher('exact');
    const target = path.join(folder, 'index.exact');
    const order = { folder, kind, target, trainingVectors: 1, seed: 1, vectors: rows };
    await builder!.build({ ...order, progress: silentProgress() });
  });
  return { [kind]: files['index.exact']! };
}

/** What it lets through is scanned: every row once, and no score that is no number. */
async function load(folder: string): Promise<void> {
  for (const coding of codings) {
    const layout = await readLayout(path.join(folder, coding), { coding, dimensions, rows });
    const scan = new CodeScan(layout, 0, rows);
    const query = new Float32Array(dimensions).fill(-0.5);
    const asked = coding === 'int8' ? codeQuery(query, layout.width) : signQuery(query, layout.width);
    for (const wanted of ['possible', 'best'] as const) check(scan.find(asked, { rows: wanted, depth: 4 }));
  }
}

function check(found: Candidates): void {
  checkNumbers(Float32Array.from(found.values, (value) => Math.max(-3e38, Math.min(3e38, value))));
  if (new Set(found.rows).size !== found.rows.length || found.rows.some((row) => !(row >= 0 && row < rows)))
    throw new UnfitResult(`the rows ${found.rows}`);
}

const loaders: readonly Loader[] = [
  {
    name: 'exact-codes',
    inputs: async () => [{ ...(await codeFile('int8')), ...(await codeFile('binary')) }],
    codes: ['CACHE_INVALID'],
    load,
  },
];
export default loaders;
