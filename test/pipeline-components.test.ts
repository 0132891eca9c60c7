/** Systems put together of others, in their parts: names, what is asked of each, what is run one after the other, what is added up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Query } from '../harness/contracts.js';
import type { Part } from '../harness/latency/latency.js';
import { componentsOf, settingsOf } from '../harness/pipeline/component-names.js';
import { addedUp, joinedParts, meansOf, planOf, requestOf } from '../harness/pipeline/components.js';
import { curveRemarks } from '../harness/pipeline/curve-stage.js';
import { chooseNegatives, usualSource } from '../harness/pipeline/negative-sources.js';
import { namesOf } from '../harness/stages/known.js';
import { passingFolder } from './places.js';
import { tinyRequest } from './tiny-collection.js';

const root = passingFolder('components');
const request = (architecture: string, ...set: string[]) => tinyRequest(root, architecture, 1, ...set);

test('names are cut at their separator, and each fault has its reason', async () => {
  const names = async (name: string, separator: '+' | '>' = '+', most?: number) =>
    (await componentsOf(name, separator, most)).map((system) => system.name);
  assert.deepEqual(await names('fuse:bm25+mlr-sc'), ['bm25', 'mlr-sc']);
  assert.deepEqual(await names('fuse:bm25+mlr+me-bert'), ['bm25', 'mlr', 'me-bert']);
  assert.deepEqual(await names('rerank:bm25>mlr', '>', 2), ['bm25', 'mlr']);
  // A folder's name may hold the separator.
  assert.deepEqual(await names('fuse:bm25+vectors:a+b'), ['bm25', 'vectors:a+b']);
  assert.deepEqual(await names('fuse:vectors:a+b+mlr'), ['vectors:a+b', 'mlr']);
  assert.deepEqual(await names('fuse:run:c:a,b>d+e.trec+bm25'), ['run:c:a,b>d+e.trec', 'bm25']);
  assert.deepEqual(await names('rerank:run:a>b+c>mlr', '>', 2), ['run:a>b+c', 'mlr']);
  // A slip in a name is no path.
  await assert.rejects(names('fuse:run:a+bm52'), { code: 'UNKNOWN_NAME', message: /'bm52'.*'bm25'/ });
  const refused: [string, RegExp][] = [
    ['fuse:bm25', /needs two systems by name/],
    ['fuse:bm25+', /needs two systems by name/],
    ['fuse:', /needs two systems by name/],
    ['fuse:bm25+bm25', /names a system twice/],
    ['fuse:bm25+rerank:bm25>mlr', /holds rerank:bm25>mlr, which is put together of others itself/],
  ];
  for (const [name, message] of refused) await assert.rejects(names(name), { code: 'USAGE', message }, name);
  await assert.rejects(names('rerank:bm25>mlr>me-bert', '>', 2), {
    code: 'USAGE',
    message: /names 3 systems, not 2/,
  });
  const system = (...settings: string[]) => ({ settings }) as never;
  assert.deepEqual(settingsOf([system('a', 'b'), system('b', 'c')], 'fuse'), ['fuse', 'a', 'b', 'c']);
});

test('a component is asked for as a row of its own, as deep as it is to look', async () => {
  const whole = request('fuse:bm25+mlr', 'search.depth=12');
  const own = requestOf(whole, { name: 'mlr' } as never, 40);
  assert.deepEqual(own, {
    ...whole,
    architecture: 'mlr',
    component: true,
    config: { ...whole.config, search: { ...whole.config.search, depth: 40 } },
  });
  assert.equal(whole.config.search.depth, 12);
  const means = await meansOf(whole);
  assert.deepEqual([means.engine?.name, means.builder, means.vectors?.dimensions], ['onnx', undefined, 8]);
  assert.deepEqual(
    await meansOf(request('fuse:bm25+vectors:nowhere')).catch((error) => error.code),
    'PATH_INVALID',
  );
});

test('a plan goes through the components in their order, and names each need once', async () => {
  const { stages, needs } = await planOf(request('fuse:bm25+mlr'), 'last of all');
  const heads = stages.filter((line) => line.startsWith('of '));
  assert.deepEqual(heads, ['of        bm25', 'of        mlr']);
  assert.deepEqual([stages[0], stages.at(-1)], [heads[0], 'last of all']);
  const lines = await needs(30);
  assert.ok(
    lines.some((line) => /30 passages x 1 x 8 numbers|30 passages x 2 x 8 numbers/.test(line)),
    lines.join('\n'),
  );
  assert.equal(new Set(lines).size, lines.length);
});

const query: Query = { queryId: 'q', text: 'text' };
const part = (name: string, label: string): Part => ({
  name: name as Part['name'],
  run: async (given: unknown) => `${typeof given === 'string' ? given : (given as Query).queryId} ${label}`,
});

test('each part does what all systems do under its name, and the last makes the hits', async () => {
  const dense = [part('tokenize', 't'), part('encode', 'e'), part('search', 's')];
  const sparse = [part('search', 'terms')];
  const given = [part('encode', 'asked'), part('search', 'found')];
  const answer = async (...of: Part[][]) => {
    const parts = joinedParts(of, (values) => values.join('; '));
    let value: unknown = query;
    for (const each of parts) value = await each.run(value as never);
    return [parts.map(({ name }) => name), value];
  };
  assert.deepEqual(await answer(sparse, dense), [['tokenize', 'encode', 'search'], 'q terms; q t e s']);
  assert.deepEqual(await answer(sparse, given), [['encode', 'search'], 'q terms; q asked found']);
  assert.deepEqual(await answer(sparse, sparse), [['search'], 'q terms; q terms']);
  assert.deepEqual(await answer(dense, given, sparse), [
    ['tokenize', 'encode', 'search'],
    'q t e s; q asked found; q terms',
  ]);
});

/** What a component tells of itself. */
function told(
  name: string,
  more: { device?: object; index?: object; facts?: object; config?: object } = {},
  rest: object = {},
) {
  const { config } = request('bm25');
  return {
    ...{ name, given: {}, remarks: [], openBytes: 10, searchable: [`of ${name}`] },
    facts: {
      config: { ...config, ...more.config },
      arch: { name },
      device: { engine: null, device: 'cpu', searcher: name, threads: 1, versions: {}, ...more.device },
      index: {
        ...{ kind: 'terms', vectorsPerPassage: 0, rows: 3, dimensions: 0, shards: 1, projectedBytes: 100 },
        ...{ projectedPassages: 21, sizeBytes: { total: 7 }, ...more.index },
      },
      ...more.facts,
    },
    ...rest,
  } as never;
}

test('costs are added up, the device is that of what computes, and remarks stand under their names', () => {
  const asking = { request: request('fuse:bm25+mlr', 'search.depth=12') } as never;
  const dense = told(
    'mlr',
    {
      device: { engine: 'onnx', device: 'webgpu', searcher: 'exact', threads: 2, versions: { onnx: '1' } },
      index: {
        ...{ kind: 'Flat', vectorsPerPassage: 2, rows: 6, dimensions: 8, shards: 4, projectedBytes: 30 },
        sizeBytes: { total: 5, vectors: 4 },
      },
      config: { bm25: { k1: 7 }, search: { depth: 99 } },
      facts: { model: { name: 'm' }, training: { epochs: [] } },
    },
    { given: { init: 'k' }, remarks: ['one', 'two'], openBytes: 32, searchable: ['of mlr', 'of bm25'] },
  );
  const sparse = told('bm25', {}, { remarks: ['three'] });
  const { facts, given, openBytes, searchable, remarks } = addedUp(asking, 'fuse', [sparse, dense]);
  assert.deepEqual([openBytes, searchable], [42, ['of bm25', 'of mlr']]);
  assert.deepEqual(remarks, ['bm25: three', 'mlr: one', 'mlr: two']);
  assert.deepEqual(given, { mlr: { init: 'k' } });
  assert.deepEqual(facts.index, {
    ...{ kind: 'terms+Flat', vectorsPerPassage: 2, rows: 9, dimensions: 8, shards: 5, projectedBytes: 130 },
    ...{ projectedPassages: 21, sizeBytes: { total: 12, vectors: 4 } },
  });
  const { engine, device, searcher, threads, versions, queryVectors } = facts.device;
  assert.deepEqual(
    [engine, device, searcher, threads, versions],
    ['onnx', 'webgpu', 'bm25+exact', 2, { onnx: '1' }],
  );
  assert.equal(queryVectors, undefined);
  // What a component resolved is written; the depth is the run's own.
  const config = facts.config as { bm25: object; search: { depth: number } };
  assert.deepEqual([config.bm25, config.search.depth], [{ k1: 7 }, 12]);
  assert.deepEqual(
    facts.components!.map(({ arch, model, training }) => [arch.name, model?.name, training?.epochs]),
    [
      ['bm25', undefined, undefined],
      ['mlr', 'm', []],
    ],
  );
  const from = (...queryVectors: (string | undefined)[]) =>
    addedUp(
      asking,
      'fuse',
      queryVectors.map((each, i) => told(`s${i}`, { device: each ? { queryVectors: each } : {} })),
    ).facts.device.queryVectors;
  assert.deepEqual(
    [from(undefined, 'given'), from('given', 'network'), from('network', 'given')],
    ['given', 'network', 'network'],
  );
});

test('what an index that is not exact finds is told at its own value, and candidates that stand idle', () => {
  const built = {
    kind: 'HNSW32',
    by: { name: 'faiss' },
    artifact: { facts: { warnings: ['slow'] } },
  } as never;
  const curve = (parameter: string | null, ...values: (number | null)[]) =>
    ({
      depth: 10,
      parameter,
      points: values.map((value, i) => ({ value, recall: { 10: 0.5 + i / 8 } })),
    }) as never;
  const said = (of: ReturnType<typeof curve>, searcher = 'faiss') => curveRemarks(built, of, { searcher });
  const idle = 'a search keeps 10 candidates where efSearch is less than the 10 hits asked for';
  assert.deepEqual(said(curve('efSearch', 10, 20)), [
    'the index HNSW32 with efSearch 20 finds 62.5 % of the exact top 10',
    'slow',
  ]);
  assert.deepEqual(said(curve('efSearch', 9, 20)).slice(1), [idle, 'slow']);
  assert.deepEqual(said(curve('nprobe', 1, 2)).length, 2);
  assert.deepEqual(said(curve(null, null), 'exact'), [
    'the index HNSW32 finds 50.0 % of the exact top 10, which is of the searcher exact',
    'slow',
  ]);
});

test('negatives are those that the dataset ships, else those of BM25, and none where none are asked for', async () => {
  assert.deepEqual([{ shipsNegatives: true }, { shipsNegatives: false }, {}].map(usualSource), [
    'dataset',
    'bm25',
    'bm25',
  ]);
  const chosen = (names?: string[], ...set: string[]) => {
    const asked = request('mlr', ...set);
    return chooseNegatives(asked.config, namesOf(asked), names);
  };
  const about = async (...given: Parameters<typeof chosen>) => {
    const { named, addsExamples, identity, needs } = await chosen(...given);
    return [named, addsExamples, identity, Object.keys(needs)];
  };
  const found = ['negatives 1 for train', 'negatives 1 for dev'];
  assert.deepEqual(await about(), [false, false, [{ source: 'bm25' }], found]);
  assert.deepEqual(await about(undefined, 'train.negatives=0'), [false, false, [], []]);
  assert.deepEqual(await about([]), [true, false, [], []]);
  assert.deepEqual(await about(['a.tsv', 'bm25']), [
    ...[true, false, [{ source: 'file', name: 'a.tsv' }, { source: 'bm25' }]],
    ['negatives 2 for train', 'negatives 2 for dev'],
  ]);
});
