/** Which searcher does what: found by file name, chosen by name, by `auto`, and by what it can build. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import { allSearchers, builderOf } from '../harness/pipeline/choose-searcher.js';
import { planRun } from '../harness/pipeline/plan.js';
import { describeSearchers, listSearchers } from '../harness/pipeline/searchers.js';
import { loadSearcher, searcherNames } from '../harness/plugins/searchers.js';
import { silentProgress } from '../harness/progress.js';
import { run } from '../harness/sweep.js';

const here = new Map((await describeSearchers()).map(({ name, available }) => [name, available]));
const skip = here.get('usearch') === true ? false : 'usearch is not installed';
let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-searchers-'));
});
after(() => rm(root, { recursive: true, force: true }));

function request(...set: string[]) {
  const tiny = [
    ...[`cache=${path.join(root, 'cache')}`, `out=${path.join(root, 'out')}`, 'train.epochs=0'],
    ...['model.scratch.layers=1', 'model.scratch.dimensions=16', 'model.scratch.heads=2'],
    ...['model.scratch.intermediate=16', 'model.scratch.vocabularySize=500', 'text.passageTokens=32'],
    'latency.queries=20',
    'answering.measure=false',
  ];
  const config = loadConfig({ cwd: root, flags: {}, set: [...tiny, ...set] });
  return { architecture: 'dual-encoder', dataset: 'sample', seed: 1, offline: true, config };
}

test('a searcher is one file: its name is its own, and what it lacks is named', async () => {
  const folder = path.join(root, 'harness', 'searchers');
  await mkdir(path.join(folder, 'mine'), { recursive: true });
  const members = "summary: 's', without: 'w', check: async () => 'mine 1', versions: () => ({})";
  await writeFile(path.join(folder, 'mine.js'), `export default { ${members}, open() {} };`);
  await writeFile(path.join(folder, 'half.js'), "export default { summary: 's' };");
  // What a searcher is made of lies in a folder of its name, and is none.
  await writeFile(path.join(folder, 'mine', 'part.js'), 'export const part = 1;');
  await writeFile(path.join(root, 'package.json'), '{ "type": "module" }');
  assert.deepEqual(searcherNames(root), ['half', 'mine']);
  assert.equal(await (await loadSearcher('mine', root)).check(), 'mine 1');
  await assert.rejects(loadSearcher('half', root), {
    code: 'PLUGIN_INVALID',
    message: /harness.searchers.half\.ts .*without \(string\), check \(function\), versions \(function\)/,
  });
  await assert.rejects(loadSearcher('mime', root), { code: 'UNKNOWN_NAME', message: /Did you mean 'mine'/ });
});

test('auto has an order, and takes who is here and knows the kind', async () => {
  assert.deepEqual(
    (await allSearchers()).map(({ name }) => name),
    ['faiss', 'usearch', 'exact'],
  );
  const graph = ['faiss', 'usearch'].find((name) => here.get(name));
  if (graph !== undefined) assert.equal((await builderOf('HNSW32', 'auto')).name, graph);
  if (here.get('usearch')) assert.equal((await builderOf('HNSW32,i8', 'auto')).name, 'usearch');
  if (here.get('faiss')) assert.equal((await builderOf('IVF8,Flat', 'auto')).name, 'faiss');
  // A kind that nobody knows: what each says, or what is to be installed.
  const expected = here.get('faiss')
    ? { code: 'CONFIG_INVALID', message: /'TREE':\n {2}faiss: .*TREE.*\n {2}usearch: .*'TREE'/ }
    : { code: 'UNAVAILABLE', message: /'TREE':\n {2}faiss: .*not installed/ };
  await assert.rejects(builderOf('TREE', 'auto'), expected);
  await assert.rejects(builderOf('flat', 'auto'), { message: /'flat', did you mean 'Flat'\?\n/ });
  await assert.rejects(builderOf('IVF8,Flat', 'usearch'), {
    code: 'CONFIG_INVALID',
    message: /^usearch cannot build an index 'IVF8,Flat'/,
  });
});

test('the list says who builds what, and doctor what is lacking', async () => {
  const listed = new Map((await listSearchers()).map((item) => [item.name, item]));
  assert.deepEqual([...listed.keys()], ['auto', 'faiss', 'usearch', 'exact']);
  assert.match(
    listed.get('auto')!.summary,
    /faiss, exact for Flat, of faiss, usearch, exact for other kinds/,
  );
  assert.match(listed.get('usearch')!.summary, /builds HNSW32, HNSW32,f16.*told by index\.efSearch/);
  for (const [name, available] of here)
    assert.equal(listed.get(name)!.missing === undefined, available, name);
});

test('a run with a graph of usearch: its curve, its bytes, who built it', { skip }, async () => {
  const flat = await run(request('searcher=exact'), silentProgress());
  assert.equal(flat.index!.builtBy, undefined);
  const asked = request('index.kind=HNSW8,i8', 'index.efSearch=[10,200]', 'searcher=usearch');
  const plan = (await planRun(asked)).lines.join('\n');
  assert.match(plan, /index +HNSW8,i8, built by usearch and compared/);
  const record = await run(asked, silentProgress());
  const { builtBy, kind, curve, parameter, sizeBytes, trainedOn } = record.index!;
  assert.equal(kind, 'HNSW8,i8');
  assert.equal(builtBy!.searcher, 'usearch');
  assert.match(builtBy!.versions.usearch!, /^\d+\.\d+\.\d+$/);
  assert.equal(record.device.searcher, 'usearch');
  assert.equal(record.device.versions.usearch, builtBy!.versions.usearch);
  assert.equal(trainedOn, 0);
  assert.deepEqual(parameter, { name: 'efSearch', value: 200 });
  // 8 bits a number and the graph: about 17 and 80 bytes a row instead of 64.
  assert.ok(sizeBytes.vectors > 90 * record.index!.rows && sizeBytes.vectors < 110 * record.index!.rows);
  assert.deepEqual(
    curve!.points.map(({ value }) => value),
    [10, 200],
  );
  assert.ok(curve!.points[1]!.recall['100']! > 0.5, JSON.stringify(curve));
  assert.match(
    record.warnings.join('\n'),
    /HNSW8,i8 with efSearch 200 finds .* exact top 100, which is of the searcher (faiss|exact)/,
  );
  assert.match(record.warnings.join('\n'), /a search keeps 100 candidates where efSearch is less/);
  await assert.rejects(run(request('searcher=usearch'), silentProgress()), {
    code: 'CONFIG_INVALID',
    message: /'usearch' searches no index "Flat"/,
  });
  await assert.rejects(
    run(request('index.kind=HNSW8', 'index.nprobe=2', 'searcher=usearch'), silentProgress()),
    {
      code: 'CONFIG_INVALID',
      message: /index\.nprobe: the searcher 'usearch' takes efSearch, and no nprobe/,
    },
  );
});
