/** The whole plan of a run of each kind of system and of each source of data, beside a golden copy. STRATA_GOLDEN=write writes that anew. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { TimeEstimates } from '../harness/pipeline/estimate/time-estimate.js';
import { planRun } from '../harness/pipeline/plan.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { root as checkout } from './places.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const golden = path.join(checkout, 'test/golden/plans.txt');
let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-plans-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

const request = (name: string, ...set: string[]): RunRequest =>
  tinyRequest(root, name, 1, 'device=cpu', 'threads=1', ...set);
function from(dataset: string, offline: boolean): RunRequest {
  const { data: _, ...rest } = request('bm25');
  return { ...rest, dataset, offline };
}

/** Without what another machine, or another hour, has otherwise. */
const lasting = (line: string) =>
  line
    .replaceAll(root, 'ROOT')
    .replace(/[\d.]+ [KMGT]iB free at/, 'N free at')
    .replace(/[\d.]+ [KMGT]iB free of [\d.]+ [KMGT]iB/, 'N free of N');

test('plans are what they were', async () => {
  const twice = ['stages=2', 'train.epochs=2', 'stage2.epochs=3', 'stage2.init=model', 'train.negatives=0'];
  const asked: Record<string, RunRequest> = {
    bm25: request('bm25', 'bm25.k1=1.2', 'search.depth=17', 'latency.queries=2'),
    'one vector': request('mlr-sc', 'train.epochs=2', 'model.tied=false'),
    'two stages': request('mlr', ...twice, 'encode.precision=int8', 'encode.shardPassages=7'),
    'two stages from the first': request(
      'dual-encoder',
      'stages=2',
      'train.chunkSize=4',
      'train.batchSize=9',
    ),
    'vectors of tokens': request('colbert-cls', 'engine=tfjs-cpu'),
    'a built index': request('mlr-sc', 'index.kind=int8', 'index.rescore=13'),
    'an index that nobody builds': request('dual-encoder', 'index.kind=SQ8'),
    'ranks fused': request('fuse:bm25+mlr-sc', 'fuse.constant=3', 'fuse.depth=4'),
    'scores fused': request('fuse:bm25+mlr-sc', 'fuse.method=weighted', 'fuse.weights=[1,3]'),
    reranked: request('rerank:bm25>me-bert', 'rerank.depth=5', 'arch.vectors=4'),
    'all reranked': request('rerank:bm25>mlr-sc'),
    'from the network': from('squad', false),
    'from the cache': from('squad', true),
    'from the hub': from('hub:some/where', false),
    embedded: from('sample', false),
    'of several files': from('ms-marco/dl19', false),
  };
  const found: string[] = [];
  for (const [title, own] of Object.entries(asked)) {
    const { lines, config } = await planRun(own).then(
      (plan) => ({ lines: plan.lines, config: Object.keys(plan.config).join(' ') }),
      (error: Error & { code: string }) => ({ lines: [`${error.code}: ${error.message}`], config: '' }),
    );
    found.push(`== ${title}`, ...lines.map(lasting), `settings  ${config}`, '');
  }
  if (process.env.STRATA_GOLDEN === 'write') writeFileSync(golden, found.join('\n'));
  assert.deepEqual(found.join('\n').split('\n'), readFileSync(golden, 'utf8').split('\n'));
});

test('what is known of the time stands before what is not', async () => {
  const linesFor = async (...seconds: (number | null)[]) => {
    const stages = seconds.map((own, i) => ({ stage: `stage ${i}`, seconds: own, basis: `basis ${i}` }));
    const sum = seconds.reduce<number>((all, own) => all + (own ?? 0), 0);
    const times = { of: async () => ({ stages, seconds: sum }) } as unknown as TimeEstimates;
    const { lines, time } = await planRun(request('bm25'), times);
    assert.equal(time!.seconds, sum);
    return lines.filter((line) => /^(time | {2})/.test(line));
  };
  const busy = 'if nothing is in the cache, with this machine as busy as it is now';
  assert.deepEqual(await linesFor(2, 62.4), [
    `time      about 1 min 04 s ${busy}`,
    '  stage 0     2.0 s: basis 0',
    '  stage 1     1 min 02 s: basis 1',
  ]);
  assert.deepEqual(await linesFor(0.5, null), [
    `time      about 0.5 s and what is not known ${busy}`,
    '  stage 0     0.5 s: basis 0',
    '  stage 1     not known: basis 1',
  ]);
  assert.deepEqual(await linesFor(null), ['time      not known', '  stage 0     not known: basis 0']);
  assert.deepEqual(await linesFor(), []);
});
