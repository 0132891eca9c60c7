/** A run whose index is not Flat, untrained and tiny: built, searched, compared with the exact hits. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { prepareReport } from '../harness/comparison.js';
import { loadConfig } from '../harness/config/config.js';
import { planRun } from '../harness/pipeline/plan.js';
import { prepare } from '../harness/pipeline/prepare.js';
import { loadReport } from '../harness/plugins.js';
import { silentProgress } from '../harness/progress.js';
import { readRecord, readRecords } from '../harness/record.js';
import type { PassageHits } from '../harness/search/search.js';
import { loadFaiss } from '../harness/searchers/faiss/flat.js';
import { recallAt } from '../harness/stages/recall.js';
import { run } from '../harness/sweep.js';

const skip = await loadFaiss().then(
  () => false as const,
  (error: Error) => error.message,
);
let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-index-'));
});
after(() => rm(root, { recursive: true, force: true }));

const tiny = [
  'train.epochs=0',
  'model.scratch.layers=1',
  'model.scratch.dimensions=16',
  'model.scratch.heads=2',
  'model.scratch.intermediate=16',
  'model.scratch.vocabularySize=500',
  'text.passageTokens=32',
  'latency.queries=20',
  'answering.measure=false',
];

function request(...set: string[]) {
  const folders = [`cache=${path.join(root, 'cache')}`, `out=${path.join(root, 'out')}`];
  const config = loadConfig({ cwd: root, flags: {}, set: [...folders, ...tiny, ...set] });
  return { architecture: 'dual-encoder', dataset: 'sample', seed: 1, offline: true, config };
}

test('a run with an index of FAISS: its curve, its bytes, and where it is exact the same hits', {
  skip,
}, async () => {
  const flat = await run(request(), silentProgress());
  assert.equal(flat.index!.curve, undefined);
  const record = await run(request('index.kind=IVF16,Flat', 'index.nprobe=1,4,16'), silentProgress());
  const { kind, curve, parameter, sizeBytes, trainedOn } = record.index!;
  assert.equal(kind, 'IVF16,Flat');
  assert.deepEqual(parameter, { name: 'nprobe', value: 16 });
  assert.equal(trainedOn, 2000);
  assert.equal(sizeBytes.total, sizeBytes.vectors + sizeBytes.identifiers + sizeBytes.offsets);
  assert.ok(sizeBytes.vectors > flat.index!.sizeBytes.vectors);
  assert.deepEqual(
    curve!.points.map(({ value }) => value),
    [1, 4, 16],
  );
  const recalls = curve!.points.map(({ recall }) => recall['100']!);
  // Sums in another order may swap hits at the cut whose scores are as good as equal.
  assert.ok(recalls[0]! < recalls[1]! && recalls[1]! < recalls[2]! && recalls[2]! > 0.999, String(recalls));
  for (const { execution } of curve!.points) assert.equal(execution!.search.samplesMs.length, 20);
  assert.ok(record.latency!.wholeIndexSecondsPerQuery! > 0);
  assert.ok(Math.abs(record.measures['mrr@10']!.mean - flat.measures['mrr@10']!.mean) < 1e-3);
  assert.match(
    record.warnings.join('\n'),
    /IVF16,Flat with nprobe 16 finds (99\.9|100\.0) % of the exact top 100/,
  );
  // One that looks at less finds less, and everything but the index comes from the cache.
  const fast = await run(request('index.kind=IVF16,Flat', 'index.nprobe=1'), silentProgress());
  assert.equal(fast.index!.curve!.points[0]!.recall['100'], recalls[0]);
  const made = fast.stages.filter(({ execution }) => !execution.cached).map(({ name }) => name);
  assert.ok(!made.includes('encode') && !made.includes('index') && !made.includes('exact search'));

  const records = await readRecords([path.join(root, 'out')]);
  for (const { file } of records) await readRecord(file);
  const report = await prepareReport(records, {}, '0.1.0');
  const section = report.sections[0]!;
  assert.ok(section.systems.some(({ name }) => name.includes('index=IVF16,Flat nprobe 16')));
  const { curves, depth } = section.indexCurves!;
  assert.equal(depth, 100);
  assert.deepEqual(curves.map(({ points }) => points.length).sort(), [1, 1, 3]);
  assert.equal(curves.find((each) => each.kind === 'Flat')!.points[0]!.recall['100'], 1);
  // A report's p95 of the times of one run is that of its record.
  const drawn = curves.find(({ points }) => points.length === 3)!.points;
  for (const [i, { execution }] of curve!.points.entries())
    assert.equal(drawn[i]!.searchMs!.p95, execution!.search.p95Ms);
  const html = await (await loadReport('html')).render(report);
  assert.match(html, /What the index finds, and for how much/);
  assert.ok(html.includes('nprobe 4') && html.includes('recall@100'));
  const csv = await (await loadReport('csv')).render(report);
  assert.match(csv.split('\n')[0]!, /index-recall/);
});

test('what cannot be is refused before anything is trained', { skip }, async () => {
  await assert.rejects(run(request('index.kind=HSNW32'), silentProgress()), {
    code: 'CONFIG_INVALID',
    message: /could not parse index string HSNW32/,
  });
});

test('a searcher that cannot do what is asked is refused before anything is trained', async () => {
  const mistakes: [string[], { code: string; message: RegExp }][] = [
    [
      ['index.kind=SQ8', 'searcher=exact'],
      { code: 'CONFIG_INVALID', message: /exact cannot build an index 'SQ8': it builds cut/ },
    ],
    [['searcher=exacct'], { code: 'UNKNOWN_NAME', message: /Did you mean 'exact'/ }],
  ];
  for (const [set, expected] of mistakes) {
    await assert.rejects(run(request(...set), silentProgress()), expected);
    const searching = { ...request(...set), dataset: 'sample' };
    await assert.rejects(
      prepare(searching, silentProgress()).then(() => planRun(searching)),
      expected,
    );
  }
});

test('contradictions of the index are named all at once', () => {
  const mistakes: [string[], RegExp][] = [
    [['index.nprobe=2'], /index\.nprobe: index\.kind is "Flat"/],
    [['index.kind=SQ8', 'index.nprobe=1', 'index.efSearch=1'], /an index has one of these/],
    [['index.kind=IVF4,Flat', 'index.nprobe=0'], /index\.nprobe/],
    [['index.kind=SQ8', 'index.parameters.beam=-1'], /index\.parameters\.beam/],
    [['index.kind=SQ8', 'index.parameters.nprobe=1'], /this one is index\.nprobe/],
    [['index.parameters.beam=2,4'], /index\.parameters\.beam: index\.kind is "Flat"/],
  ];
  for (const [set, message] of mistakes) {
    assert.throws(() => request(...set), { code: 'CONFIG_INVALID', message });
  }
});

test('recall is the share of the exact hits found, whatever their order', () => {
  const hits = (lists: number[][]): PassageHits => ({
    depth: 3,
    ordinals: Int32Array.from(lists.flatMap((list) => [...list, -1, -1, -1].slice(0, 3))),
    scores: new Float32Array(3 * lists.length),
    winners: new Int32Array(3 * lists.length),
    counts: Int32Array.from(lists, ({ length }) => length),
  });
  const exact = hits([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  assert.equal(recallAt(3, hits([[3, 1, 9], [4]]), exact), (2 / 3 + 1 / 3) / 2);
  assert.equal(recallAt(1, hits([[3, 1, 9], [4]]), exact), 0.5);
  assert.equal(recallAt(3, exact, exact), 1);
});
