/** Options that set what has no part in what is asked for. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { execute, type Values } from '../harness/cli/command.js';
import { command as run } from '../harness/cli/run.js';
import { requestsOf } from '../harness/cli/sweep-request.js';
import { defaultConfig } from '../harness/config/config.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { isIdle } from '../harness/pipeline/settings-in-play.js';
import { loadSystem } from '../harness/systems.js';

/** The runs that a command line asks for. */
async function asked(arch: string, ...more: string[]): Promise<readonly RunRequest[]> {
  let requests: readonly RunRequest[] = [];
  const noting = {
    ...run,
    async run(values: Values) {
      requests = await requestsOf(values);
      return 0;
    },
  };
  await execute('run', noting, ['--arch', arch, '--dataset', 'sample', ...more]);
  return requests;
}

test('an option that sets what none of the systems has is refused by name, and what the file sets is not', async () => {
  const idle: [arch: string, options: string[], named: string][] = [
    ['bm25', ['--index', 'IVF4,Flat', '--stages', '2'], '--index and --stages play no part in bm25.'],
    ['bm25', ['--model', 'scratch'], '--model plays no part in bm25.'],
    ['bm25', ['--searcher', 'exact'], '--searcher plays no part in bm25.'],
    ['bm25', ['--device', 'cpu', '--stages', '2'], '--stages plays no part in bm25.'],
    ['bm25', ['--set', 'train.epochs=1'], '--set train.epochs plays no part in bm25.'],
    ['pretrained:DIR', ['--set', 'arch.layers=1'], '--set arch.layers plays no part in pretrained:DIR.'],
    ['sparse:DIR', ['--searcher', 'exact'], '--searcher plays no part in sparse:DIR.'],
    ['sparse:DIR', ['--index', 'HNSW32'], '--index plays no part in sparse:DIR.'],
    [
      'pretrained:DIR',
      ['--set', 'sparse.queryWeights=9'],
      '--set sparse.queryWeights plays no part in pretrained:DIR.',
    ],
    [
      'vectors:DIR',
      ['--set', 'pretrained.pooling=mean'],
      '--set pretrained.pooling plays no part in vectors:DIR.',
    ],
    [
      'endpoint:http://a',
      ['--set', 'text.queryTokens=9'],
      '--set text.queryTokens plays no part in endpoint:http://a.',
    ],
    ['bm25,vectors:DIR', ['--stages', '2'], '--stages plays no part in bm25, vectors:DIR.'],
    [
      'fuse:bm25+vectors:DIR',
      ['--set', 'rerank.depth=9'],
      '--set rerank.depth plays no part in fuse:bm25+vectors:DIR.',
    ],
    [
      'rerank:bm25>cross:DIR',
      ['--searcher', 'exact', '--set', 'pretrained.maxTokens=9'],
      '--searcher and --set pretrained.maxTokens play no part in rerank:bm25>cross:DIR.',
    ],
    ['mlr', ['--set', 'fuse.constant=3'], '--set fuse.constant plays no part in mlr.'],
    [
      'fuse:bm25+vectors:DIR',
      ['--set', 'fuse.normalization=none'],
      '--set fuse.normalization plays no part in fuse.method=rrf.',
    ],
    [
      'fuse:bm25+vectors:DIR',
      ['--set', 'fuse.method=weighted', '--set', 'fuse.constant=3'],
      '--set fuse.constant plays no part in fuse.method=weighted.',
    ],
  ];
  for (const [arch, options, message] of idle) {
    await assert.rejects(asked(arch, ...options), { code: 'USAGE', message });
  }
  const fine: [arch: string, options: string[]][] = [
    ['bm25,mlr', ['--index', 'IVF4,Flat', '--stages', '2', '--model', 'scratch', '--set', 'bm25.k1=1']],
    ['mlr', ['--set', 'bm25.k1=1', '--set', 'deviceMemoryMiB=100']],
    [
      'bm25',
      ['--threads', '2', '--set', 'search.depth=900', '--set', 'unpack.largestGiB=1', '--keep', 'records'],
    ],
    ['pretrained:DIR', ['--index', 'IVF4,Flat', '--device', 'cpu', '--set', 'pretrained.pooling=mean']],
    ['run:RUN', ['--set', 'latency.queries=0', '--threads', '2']],
    ['vectors:DIR', ['--device', 'cpu', '--searcher', 'exact', '--set', 'encode.shardPassages=9']],
    ['rerank:bm25>pretrained:DIR', ['--set', 'rerank.depth=9', '--set', 'bm25.k1=1', '--device', 'cpu']],
    ['rerank:bm25>cross:DIR', ['--set', 'cross.maxTokens=9', '--set', 'encode.precision=int8']],
  ];
  for (const [arch, options] of fine) {
    assert.equal((await asked(arch, ...options)).length, arch.split(',').length, arch);
  }
  // A slip in a name is said to be one.
  await assert.rejects(asked('bm25', '--set', 'trian.epochs=1'), {
    code: 'CONFIG_INVALID',
    message: /trian/,
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'strata-idle-'));
  const file = path.join(folder, 'mine.json');
  writeFileSync(file, JSON.stringify({ stages: 2, train: { epochs: 1 } }));
  assert.equal((await asked('bm25', '--config', file)).length, 1);
  rmSync(folder, { recursive: true });
});

test('all stands for what can be listed, and systems that cannot stand beside it', async () => {
  const all = (await asked('all')).map(({ architecture }) => architecture);
  const more = (await asked('run:RUN, all,bm25')).map(({ architecture }) => architecture);
  assert.ok(all.includes('bm25') && all.length > 5);
  assert.deepEqual(more, ['run:RUN', ...all]);
});

test('what says what computes here is told and passed over where nothing computes, for scripts that go through systems', async (t) => {
  const told: string[] = [];
  t.mock.method(process.stderr, 'write', (text: string) => told.push(text));
  const of = async (arch: string, ...options: string[]) => {
    told.length = 0;
    const requests = await asked(arch, ...options);
    assert.equal(requests.length, arch.split(',').length);
    return told.join('');
  };
  const here = ['--engine', 'onnx', '--device', 'cpu', '--set', 'deviceMemoryMiB=100', '--set', 'device=cpu'];
  assert.equal(
    await of('bm25', ...here),
    'note: --engine and --device and --set deviceMemoryMiB and --set device play no part in bm25: nothing of it is computed by an engine.\n',
  );
  assert.equal(
    await of('bm25,run:RUN', '--device', 'cpu'),
    'note: --device plays no part in bm25, run:RUN: nothing of them is computed by an engine.\n',
  );
  assert.equal(await of('bm25,mlr', ...here), '');
  assert.equal(await of('bm25'), '');
});

test('every setting plays a part in some system, or is said to be of none', async () => {
  const systems = await Promise.all(
    [
      ...['mlr', 'bm25', 'pretrained:a', 'sparse:a', 'vectors:a', 'endpoint:a'],
      ...['fuse:bm25+mlr', 'rerank:bm25>mlr', 'rerank:bm25>cross:a'],
    ].map((name) => loadSystem(name)),
  );
  const all = systems.map(({ settings }) => settings);
  for (const key of Object.keys(defaultConfig())) assert.ok(!isIdle(key, all), key);
  for (const own of ['pretrained', 'vectors', 'endpoint', 'fuse', 'rerank', 'cross'])
    assert.ok(isIdle(own, [systems[0]!.settings]), own);
});

test('what of the cache is made anew is said once', async () => {
  await assert.rejects(asked('bm25', '--fresh', '--repair'), {
    code: 'USAGE',
    message: /--fresh and --repair both say/,
  });
});
