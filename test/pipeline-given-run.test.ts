/** Runs made elsewhere as systems: what was found here and is handed in again is the same row, alone and as a part of others. */
import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { summarize } from '../harness/cli/summary.js';
import { deviceDifferences } from '../harness/comparison/devices.js';
import { distinctNames } from '../harness/comparison/names.js';
import { type RunFormat, readRunFile, writeRunFile } from '../harness/interchange/run-file.js';
import { readRun } from '../harness/interchange/trec.js';
import { evaluateRun } from '../harness/pipeline/evaluate-run.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { searchSystem } from '../harness/pipeline/system-stages.js';
import { silentProgress } from '../harness/progress.js';
import { assertRecord } from '../harness/record/validate.js';
import type { RunRecord } from '../harness/record.js';
import { run } from '../harness/sweep.js';
import { givenRuns } from './given-run.js';
import { tinyRequest } from './tiny-collection.js';

const { root, tiny, lines } = await givenRuns('given-run');
const progress = silentProgress();

const hitsOf = async ({ config, run: file }: RunRecord) =>
  (await readRun(path.join((config as { out: string }).out, file!.name))).run;
const said = ({ warnings }: RunRecord) => warnings.join('\n');

/** On the sample, which has answers: as deep as other systems search, with trained weights that nobody trained. */
function onSample(architecture: string, ...set: string[]): RunRequest {
  const measures = 'measures=["answer@5","success@20","mrr@10","ndcg@10","recall@100","map"]';
  const { data: _, ...request } = tinyRequest(root, architecture, 1, 'search.depth=100', measures, ...set);
  return { ...request, dataset: 'sample' };
}

/** The hits of BM25 on the sample in a format. */
async function found(format: RunFormat, name: string): Promise<{ file: string; bm25: RunRecord }> {
  const bm25 = await run(onSample('bm25'), progress);
  const own = path.join(root, 'out', bm25.run!.name);
  const file = path.join(root, name);
  if (format === 'trec') await copyFile(own, file);
  else await writeRunFile(file, format, { run: (await readRunFile(own)).run, tag: 'bm25' });
  return { file, bm25 };
}

test("what BM25 found, handed in again, has BM25's measures to the last digit, and no cost", async () => {
  for (const [format, name] of [
    ['trec', 'trec.run.gz'],
    ['beir', 'beir.json'],
    ['tevatron', 'tevatron.txt'],
  ] as const) {
    const { file, bm25 } = await found(format, name);
    const record = await run(onSample(`run:${file}`, 'answering.measure=true'), progress);
    assertRecord(JSON.parse(JSON.stringify(record)), name);
    // BEIR's results have no order: equal scores are put in one by id.
    const evaluated = await evaluateRun({ ...onSample('bm25'), run: file, split: 'test' }, progress);
    const expected = format === 'beir' ? evaluated.record : bm25;
    assert.deepEqual(record.measures, expected.measures, name);
    assert.deepEqual(evaluated.record.measures, expected.measures, name);
    assert.deepEqual(record.queryIds, bm25.queryIds);
    if (format !== 'beir') assert.deepEqual(await hitsOf(record).then(idsOf), await hitsOf(bm25).then(idsOf));
    assert.equal(record.arch.name, `run:${name}`);
    const { index, latency, training, model, device, answering, hitsFrom } = record;
    assert.deepEqual([index, latency, training, model], [undefined, undefined, undefined, undefined]);
    assert.deepEqual([device.engine, device.device, device.searcher, device.threads], Array(4).fill(null));
    assert.deepEqual(answering, {
      notMeasured: 'its hits were made elsewhere, and read from a file',
      costs: {},
    });
    assert.equal(hitsFrom!.name, name);
    assert.match(said(record), new RegExp(`^run file \\S+/${name}, sha256 ${hitsFrom!.sha256}`));
  }
});

const idsOf = (hits: Awaited<ReturnType<typeof hitsOf>>) =>
  [...hits].map(([queryId, { passageIds, scores }]) => [queryId, passageIds, Array.from(scores!)]);

test("as a part of others it is what BM25 is: reranked and fused to the same hits, with the others' costs alone", async () => {
  const { file } = await found('trec', 'parts.run.gz');
  const dense = await run(onSample('mlr-sc'), progress);
  for (const [own, given, ...set] of [
    ['rerank:bm25>mlr-sc', `rerank:run:${file}>mlr-sc`],
    ['rerank:bm25>mlr-sc', `rerank:run:${file}>mlr-sc`, 'rerank.depth=20'],
    ['fuse:bm25+mlr-sc', `fuse:run:${file}+mlr-sc`],
    ['fuse:mlr-sc+bm25', `fuse:mlr-sc+run:${file}`, 'fuse.method=weighted'],
  ] as const) {
    const [expected, record] = [
      await run(onSample(own, ...set), progress),
      await run(onSample(given, ...set), progress),
    ];
    assertRecord(JSON.parse(JSON.stringify(record)), given);
    assert.deepEqual(record.measures, expected.measures, given);
    assert.deepEqual(await hitsOf(record).then(idsOf), await hitsOf(expected).then(idsOf), given);
    assert.deepEqual(record.index, dense.index);
    assert.equal(record.latency!.total.samplesMs.length, 4);
    assert.equal(record.device.engine, 'onnx');
    assert.equal(record.device.hits, 'given');
    assert.match(
      said(record),
      /run:\S+: what its index takes and how long finding its hits takes is not known/,
    );
    assert.match(deviceDifferences(record, expected).join(), /hits given and found here/);
    const part = record.components!.find(({ hitsFrom }) => hitsFrom !== undefined)!;
    assert.deepEqual([part.hitsFrom!.name, part.index], ['parts.run.gz', undefined]);
  }
});

test('a run that does not fit is measured as bench evaluate measures it, and says how it does not', async () => {
  const file = await lines(
    'strangers.run',
    ...['q0 Q0 p9 1 1', 'q0 Q0 p0 2 3', 'q0 Q0 gone 3 9', 'q0 Q0 q0 4 8'],
    ...['q1 Q0 p7 1 5', 'q1 Q0 p1 2 5', 'q1 Q0 p6 3 5', 'q77 Q0 p1 1 1'],
  );
  const set = ['measures=["mrr","recall@2","success@1"]'];
  const record = await run(tiny(file, ...set), progress);
  const { record: evaluated } = await evaluateRun(
    { ...tiny(file, ...set), run: file, split: 'test' },
    progress,
  );
  assert.deepEqual(record.measures, evaluated.measures);
  for (const line of [
    '1 query of the run is not a test query and is left out',
    'the run has no hits for 6 of 8 test queries, which count as finding nothing',
  ])
    for (const each of [record, evaluated]) assert.ok(each.warnings.includes(line), said(each));
  assert.match(said(record), /1 passage of the run is not in beir:data; it holds no answer/);
  assert.match(said(record), /at most 3 hits of a query, fewer than the 10 that are asked for/);
  // The query's own passage is no hit of a collection of BEIR, and takes no place in the list.
  assert.deepEqual((await hitsOf(record)).get('q0')!.passageIds, ['gone', 'p0', 'p9']);
  const cut = await run(tiny(file, ...set, 'search.depth=2'), progress);
  assert.deepEqual((await hitsOf(cut)).get('q0')!.passageIds, ['gone', 'p0']);
  assert.match(said(cut), /the first 2 hits of each query are taken; the file has more for 2 of 8 queries/);
  // Where others work with its passages, those of other collections are left out before the list is cut.
  const searched = await searchSystem(
    { ...tiny(file, ...set, 'search.depth=2'), system: `run:${file}`, split: 'test' },
    progress,
  );
  assert.deepEqual((await readRun(searched.run)).run.get('q0')!.passageIds, ['p0', 'p9']);
  assert.match(searched.warnings.join('\n'), /1 passage of the run is not in beir:data, and left out/);
  const fused = await run(tinyRequest(root, `fuse:run:${file}+bm25`, 1), progress);
  assert.ok(![...(await hitsOf(fused)).values()].some(({ passageIds }) => passageIds.includes('gone')));
});

test('it is known by what it holds: found again elsewhere, made anew when edited, told apart by name', async () => {
  const hits = ['q0 Q0 p0 1 2', 'q1 Q0 p3 1 2'];
  const made = ({ stages }: RunRecord) => stages.find(({ name }) => name === 'read hits')!.execution.cached;
  const a = await run(tiny(await lines('a/same.run', ...hits)), progress);
  const elsewhere = await run(tiny(await lines('b/same.run', ...hits)), progress);
  assert.deepEqual([made(a), made(elsewhere)], [false, true]);
  const edited = await lines('b/same.run', 'q0 Q0 p4 1 2');
  const b = await run(tiny(edited), progress);
  assert.equal(made(b), false);
  assert.notDeepEqual(a.measures['mrr@10']!.perQuery, b.measures['mrr@10']!.perQuery);
  assert.equal(a.arch.name, b.arch.name);
  const stored = [a, b].map((record, i) => ({ file: `${i}.record.json`, record }));
  const beginnings = [a, b].map(({ hitsFrom }) => hitsFrom!.sha256.slice(0, 12));
  const names = beginnings.map((hash) => `run:same.run (hits=${hash})`);
  assert.deepEqual(distinctNames(stored), names);
  for (const name of names) assert.ok(summarize([a, b]).includes(name), summarize([a, b]));
  const fresh = { ...tiny(edited), anew: { what: 'everything', done: new Set<string>() } } as RunRequest;
  assert.equal(made(await run(fresh, progress)), false);
});
