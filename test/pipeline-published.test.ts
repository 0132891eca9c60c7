/** A published model as a system: in one table with BM25, nothing trained, nothing guessed. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import type { BenchError } from '../harness/errors.js';
import { askedBeside } from '../harness/model/sentence-files.js';
import { planRun } from '../harness/pipeline/plan.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { silentProgress } from '../harness/progress.js';
import { run } from '../harness/sweep.js';
import { sentenceFolder } from './sentence-folder.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-published-'));
});
after(() => rm(root, { recursive: true, force: true }));

function request(architecture: string, ...set: string[]): RunRequest {
  const config = loadConfig({
    cwd: root,
    flags: {},
    set: [
      `cache=${path.join(root, 'cache')}`,
      `out=${path.join(root, 'out')}`,
      'latency.queries=2',
      'answering.measure=false',
      ...set,
    ],
  });
  return { architecture, dataset: 'sample', seed: 1, offline: true, config };
}

test('a published model is encoded, searched and timed, and its record says how it was read', async () => {
  const folder = await sentenceFolder('prompts');
  const record = await run(request(`pretrained:${folder}`), silentProgress());
  assert.equal(record.arch.name, `pretrained:${path.basename(folder)}`);
  assert.equal(record.arch.family, 'pretrained');
  assert.equal(record.arch.pooling, 'mean');
  assert.equal(record.training, undefined);
  assert.equal(record.model!.name, folder);
  assert.ok(record.model!.files.some(({ name }) => name === '1_Pooling/config.json'));
  assert.deepEqual(
    record.stages.map(({ name }) => name),
    ['prepare', 'encode', 'queries', 'search', 'measure', 'latency'],
  );
  assert.equal(record.index!.rows, record.dataset.passageCount);
  assert.equal(record.index!.dimensions, 12);
  assert.ok(record.latency!.encode!.p50Ms > 0);
  const [said] = record.warnings;
  assert.equal(
    said,
    'as published: mean pooling, cosine, at most 32 tokens, prompts "query: " and "passage: "',
  );
  const again = await run(request(`pretrained:${folder}`), silentProgress());
  assert.deepEqual(again.measures, record.measures);
  assert.ok(again.stages.filter(({ key }) => key !== null).every(({ execution }) => execution.cached));
  const cut = await run(request(`pretrained:${folder}`, 'pretrained.maxTokens=5'), silentProgress());
  assert.equal(cut.stages.find(({ name }) => name === 'encode')!.execution.cached, false);
  assert.ok(cut.warnings.some((line) => line.endsWith('set by the user instead of its files: maxTokens 5')));
  assert.notDeepEqual(cut.measures['mrr@10']!.perQuery, record.measures['mrr@10']!.perQuery);
});

test('other files of a model are another model in the cache', async () => {
  const keys: string[] = [];
  for (const name of ['mean and cosine', 'cls_token and dot', 'a dense layer']) {
    const record = await run(
      request(`pretrained:${await sentenceFolder(name)}`, 'latency.queries=0'),
      silentProgress(),
    );
    keys.push(record.stages.find((stage) => stage.name === 'encode')!.key!);
  }
  assert.equal(new Set(keys).size, 3);
});

test('what is wrong with a model is said before anything runs', async () => {
  await assert.rejects(planRun(request('pretrained:./nowhere')), { code: 'PATH_INVALID' });
  const bare = await sentenceFolder('mean and cosine', { 'modules.json': null });
  await assert.rejects(planRun(request(`pretrained:${bare}`)), { code: 'CONFIG_INVALID' });
  const { lines, config } = await planRun(request(`pretrained:${await sentenceFolder('prompts')}`));
  assert.ok(
    lines.some((line) => /^disk .*2,000 passages x 1 x 12 numbers/.test(line)),
    lines.join('\n'),
  );
  assert.equal('train' in config, false);
});

test('an architecture that would take a published model otherwise, untrained, is refused; trained, it says so', async () => {
  const folder = await sentenceFolder('mean and cosine');
  const set = [`model.name=${folder}`, 'train.epochs=0', 'latency.queries=0'];
  await assert.rejects(run(request('dual-encoder', ...set), silentProgress()), (error: BenchError) => {
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.match(error.message, /was published with mean pooling, cosine/);
    assert.ok(error.hint!.includes(`--arch pretrained:${folder}`));
    return true;
  });
  assert.equal(await askedBeside(await sentenceFolder('cls_token and dot'), 'dot'), undefined);
  // An architecture compares by cosine, too, where that is asked for: arch.similarity.
  assert.equal(await askedBeside(await sentenceFolder('cls_token and dot'), 'cosine'), 'cls pooling, dot');
  const general = { 'config_sentence_transformers.json': { similarity_fn_name: 'cosine' } };
  const cosine = await sentenceFolder('cls_token and dot', general);
  assert.equal(await askedBeside(cosine, 'cosine'), undefined);
  assert.equal(await askedBeside(cosine, 'dot'), 'cls pooling, cosine');
  assert.equal(
    await askedBeside(await sentenceFolder('mean and cosine', { 'modules.json': null }), 'dot'),
    undefined,
  );
  assert.equal(await askedBeside(folder, 'dot'), 'mean pooling, cosine');
  assert.equal(await askedBeside(folder, 'cosine'), 'mean pooling, cosine');
  assert.match(
    (await askedBeside(await sentenceFolder('mean and cosine', { 'modules.json': [] }), 'dot'))!,
    /lists no modules/,
  );
});
