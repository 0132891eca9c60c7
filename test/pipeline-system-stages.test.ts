/** encode, search and mine of systems that have no checkpoint of their own, and training on what they mined. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { merge } from '../harness/config/preset-layers.js';
import { assignment } from '../harness/config/sources.js';
import { readNegatives } from '../harness/interchange/negatives.js';
import { readRun } from '../harness/interchange/trec.js';
import type { MinedNegatives } from '../harness/pipeline/mine.js';
import type { EncodedIndex, TrainedCheckpoint } from '../harness/pipeline/one-stage.js';
import { openRun } from '../harness/pipeline/open-run.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import type { SearchedRun } from '../harness/pipeline/searched-run.js';
import { silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { inOrder, inputKey } from '../harness/stages/graph.js';
import { recordedBefore } from '../harness/sweep/recording.js';
import { run } from '../harness/sweep.js';
import { madeOf } from '../harness/tasks/latency.js';
import { crossFolder } from './cross-folder.js';
import { answerTo, bodyOf, send } from './endpoint-server.js';
import { givenFiles } from './given-folder.js';
import { loopback } from './loopback.js';
import { sentenceFolder } from './sentence-folder.js';
import { spladeFolder } from './splade-folder.js';
import { bench, json, type StageCommand } from './stage-commands.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const server = loopback();
let root: string;
let [pretrained, sparse, cross, vectors, endpoint] = ['', '', '', '', ''];
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-system-stages-'));
  await writeTinyCollection(path.join(root, 'data'));
  // In a file: what it sets for other systems does no harm.
  const sections = settings.map((setting) => assignment(setting).settings);
  await writeFile(path.join(root, 'settings.json'), JSON.stringify(sections.reduce(merge, {})));
  // A blank in its name must not reach the tag of a run.
  const given = path.join(root, 'given vectors');
  await mkdir(given);
  for (const [name, content] of Object.entries(givenFiles()))
    await writeFile(path.join(given, name), content);
  server.handle = (request, response) => void bodyOf(request).then((body) => send(response, answerTo(body)));
  pretrained = `pretrained:${await sentenceFolder('prompts')}`;
  sparse = `sparse:${spladeFolder('bert')}`;
  cross = `cross:${crossFolder('bert')}`;
  vectors = `vectors:${given}`;
  endpoint = `endpoint:${new URL(server.url).origin}`;
});
after(() => rm(root, { recursive: true, force: true }));

const settings = [
  ...['engine=onnx', 'searcher=exact', 'search.depth=10', 'stage2.depth=10', 'latency.queries=0'],
  ...['measures=mrr@10', 'model.scratch.layers=2', 'model.scratch.dimensions=8', 'model.scratch.heads=1'],
  ...['model.scratch.intermediate=8', 'model.scratch.vocabularySize=300', 'text.passageTokens=16'],
  ...['train.epochs=1', 'train.averageRankFrom=null', 'endpoint.similarity=dot', 'endpoint.retries=0'],
];
const argvIn = (cache: string, ...more: string[]) => [
  ...['--dataset', 'beir', '--data', path.join(root, 'data'), '--cache', path.join(root, cache)],
  ...['--config', path.join(root, 'settings.json')],
  ...more,
];
const argv = (...more: string[]) => argvIn('cache', ...more);
const refused = (message: RegExp, name: StageCommand, ...given: string[]) =>
  assert.rejects(bench(name, ...argv(...given)), { code: 'USAGE', message }, given.join(' '));

const systems = () => [
  ...['bm25', pretrained, vectors, endpoint],
  ...[`fuse:bm25+${vectors}`, `rerank:bm25>${pretrained}`],
  ...[sparse, `rerank:bm25>${cross}`],
];

test('a search of any system is that of its run: the hits, and the figures of the file', async () => {
  for (const [i, system] of systems().entries()) {
    const file = path.join(root, `${i}.run`);
    const searched = await json<SearchedRun>('search', ...argv('--arch', system, '--run', file));
    assert.equal(searched.run, file);
    assert.equal(searched.depth, 10);
    const record = await run(
      { ...tinyRequest(root, system, 1, ...settings), offline: false },
      silentProgress(),
    );
    const stage = record.stages.find(({ key }) => key === searched.key);
    assert.equal(stage?.execution.cached, true, `${system} found again what the step left`);
    const own = await readRun(file);
    const whole = await readRun(path.join(root, 'out', record.run!.name));
    assert.deepEqual(own.run, whole.run, system);
    // What made it lies beside either.
    assert.equal(searched.metadata, path.join(root, `${i}.ir_metadata.yaml`));
    const its = record.run!.name.replace('.run.gz', '.ir_metadata.yaml');
    for (const metadata of [searched.metadata, path.join(root, 'out', its)]) {
      const said = parse((await readFile(metadata, 'utf8')).replaceAll(/^ir_metadata\.(start|end)$/gm, ''));
      assert.equal(said.method.retrieval[0].name, record.arch.name);
      assert.equal(said.method.retrieval[0].searcher, record.device.searcher ?? undefined);
      assert.equal(said.data['test collection'].name, 'beir:data, test');
      assert.deepEqual(said.data.other?.[0]?.name, record.model && `model ${record.model.name}`);
    }
    const evaluated = JSON.parse(
      await bench(
        'evaluate',
        ...['--dataset', 'beir', '--data', path.join(root, 'data'), '--run', file, '--json'],
        ...['--cache', path.join(root, 'cache'), '--measure', 'mrr@10'],
      ),
    ) as RunRecord;
    assert.deepEqual(evaluated.measures, record.measures, system);
  }
});

test('what a run leaves is known by its key before anything is made, and its record is found by what it read', async () => {
  const model = `model.name=${pretrained.replace('pretrained:', '')}`;
  for (const [i, system] of [...systems(), 'dual-encoder'].entries()) {
    const places = ['cache', 'out'].map((folder) => `${folder}=${path.join(root, `known-${i}`, folder)}`);
    const request = { ...tinyRequest(root, system, 1, ...settings, ...places, model), offline: false };
    const { stages } = await madeOf(request, silentProgress());
    await run(request, silentProgress());
    const opened = await openRun(request, silentProgress());
    try {
      assert.deepEqual(opened.stages.map(inputKey), stages, system);
      const lacking = [];
      // Negatives are looked for where some are trained on.
      for (const stage of inOrder(opened.stages))
        if (stage.kind !== 'negatives' && !(await opened.store.has(stage.kind, inputKey(stage))))
          lacking.push(stage.name);
      assert.deepEqual(lacking, [], system);
      const notes: string[] = [];
      const progress = { ...silentProgress(), note: (line: string) => void notes.push(line) };
      const found = await recordedBefore(request, opened.dataset, progress);
      // A checkout with changes cannot say that it is the program it was.
      assert.ok(found !== undefined || notes.some((line) => line.startsWith('made again: ')), system);
    } finally {
      await opened.close();
    }
  }
});

test('the record of a model that lay in the folder before is not taken for that of another', async () => {
  const folder = path.join(root, 'edited model');
  await cp(pretrained.replace('pretrained:', ''), folder, { recursive: true });
  const files = ['cache', 'out'].map((name) => `${name}=${path.join(root, 'edited', name)}`);
  const asked = ['dual-encoder', `pretrained:${folder}`].map((system) =>
    tinyRequest(root, system, 1, ...settings, ...files, `model.name=${folder}`),
  );
  const { dataset, close } = await openRun(asked[0]!, silentProgress());
  await close();
  const looked = async (request: RunRequest) => {
    const notes: string[] = [];
    const progress = { ...silentProgress(), note: (line: string) => void notes.push(line) };
    return (await recordedBefore(request, dataset, progress)) !== undefined || notes.length > 0;
  };
  for (const request of asked) {
    await run(request, silentProgress());
    assert.ok(await looked(request), request.architecture);
  }
  const config = path.join(folder, 'config.json');
  await writeFile(config, `${await readFile(config, 'utf8')}\n`);
  for (const request of asked) assert.ok(!(await looked(request)), request.architecture);
});

test('other vectors in a folder are other stages', async () => {
  const request = tinyRequest(root, vectors, 1, ...settings);
  const before = await madeOf(request, silentProgress());
  const file = path.join(root, 'given vectors', 'queries.npy');
  const content = await readFile(file);
  await writeFile(file, Buffer.concat([content.subarray(0, -4), Buffer.from(new Float32Array([9]).buffer)]));
  try {
    assert.notDeepEqual((await madeOf(request, silentProgress())).stages, before.stages);
  } finally {
    await writeFile(file, content);
  }
});

test('the queries of another split are searched', async () => {
  const file = path.join(root, 'train.run');
  const asked = ['--arch', `rerank:bm25>${vectors}`, '--split', 'train', '--run', file];
  const { queries } = await json<SearchedRun>('search', ...argv(...asked));
  assert.equal(queries, 4);
  assert.deepEqual([...(await readRun(file)).run.keys()], ['q8', 'q9', 'q10', 'q11']);
});

test('encode leaves the index that a run searches, of systems that have vectors of their own', async () => {
  const found: string[] = [];
  for (const system of [pretrained, vectors, endpoint]) {
    const made = await json<EncodedIndex>('encode', ...argvIn('encoded', '--arch', system));
    assert.deepEqual([made.cached, made.passages, made.vectors], [false, 30, 30]);
    const whole = tinyRequest(root, system, 1, ...settings, `cache=${path.join(root, 'encoded')}`);
    const record = await run({ ...whole, offline: false }, silentProgress());
    const encode = record.stages.find(({ name }) => name === 'encode')!;
    assert.deepEqual([encode.key, encode.execution.cached], [made.key, true]);
    found.push(made.key);
  }
  assert.equal(new Set(found).size, 3);
  await refused(/bm25 has no vectors/, 'encode', '--arch', 'bm25');
  await refused(/is put together of bm25 and vectors:/, 'encode', '--arch', `fuse:bm25+${vectors}`);
  await refused(/is put together of/, 'encode', '--arch', `rerank:bm25>${vectors}`);
});

test('what any of them mines is trained on', async () => {
  for (const [i, system] of systems().entries()) {
    const out = path.join(root, `mined-${i}.tsv`);
    const mined = await json<MinedNegatives>('mine', ...argv('--arch', system, '--out', out));
    assert.equal(mined.negatives, out);
    const { negatives, positives } = await readNegatives(out);
    assert.deepEqual([...negatives.keys()].sort(), ['q10', 'q11', 'q8', 'q9']);
    assert.ok([...negatives.values()].every((ids) => ids.length > 0));
    for (const [queryId, ids] of negatives) assert.ok(!ids.includes(queryId.replace('q', 'p')), system);
    assert.equal(positives === undefined, system === 'bm25');
    const trained = await json<TrainedCheckpoint>(
      'train',
      ...argv('--arch', 'dual-encoder', '--negatives', `bm25,${out}`),
    );
    assert.ok(trained.checkpoint.length > 0);
  }
  const [one, other] = [path.join(root, 'with.tsv'), path.join(root, 'mined-0.tsv')];
  await bench('mine', ...argv('--with', 'bm25', '--out', one));
  assert.deepEqual(await readFile(one), await readFile(other));
});

test('who does the work has to be clear', async () => {
  await refused(/Neither --checkpoint nor --arch was given/, 'encode');
  await refused(/Neither --checkpoint nor --arch was given/, 'search');
  await refused(/mlr-sc is trained: its checkpoint has to be given/, 'search', '--arch', 'mlr-sc');
  await refused(/--index belongs to --checkpoint/, 'search', '--arch', 'bm25', '--index', root);
  await refused(/--index belongs to --checkpoint/, 'mine', '--arch', vectors, '--index', root);
  await refused(/--with bm25 and --arch both say who mines/, 'mine', '--with', 'bm25', '--arch', vectors);
  await refused(/--index is missing/, 'search', '--checkpoint', root);
  await assert.rejects(bench('search', ...argv('--arch', 'bm52')), { code: 'UNKNOWN_NAME' });
});
