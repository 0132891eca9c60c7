import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import {
  architectureNames,
  datasetNames,
  loadArchitecture,
  loadDataset,
  loadReport,
  reportNames,
} from '../harness/plugins.js';

const root = mkdtempSync(path.join(tmpdir(), 'bench-plugins-'));
after(() => rmSync(root, { recursive: true }));
mkdirSync(path.join(root, 'architectures', 'pooling'), { recursive: true });
mkdirSync(path.join(root, 'datasets'));
writeFileSync(path.join(root, 'package.json'), '{ "type": "module" }');

const put = (file: string, code: string) => writeFileSync(path.join(root, file), code);
const family = (poolings: string) =>
  `export default { summary: 'a family', poolings: ${poolings}, resolve() {}, represent() {} };`;
const pooling = (shortName: string) =>
  `export default { shortName: '${shortName}', summary: 'to one', trainsOn: 'all', pool() {} };`;
put('architectures/mlr.js', family('{ sc: true, mix: true }'));
put('architectures/colbert-cls.js', family("{ sc: true, mix: 'the number of vectors varies' }"));
put('architectures/mlr.js.map', '{}');
put('architectures/pooling/self-contrastive.js', pooling('sc'));
put('architectures/pooling/scalar-mix.js', pooling('mix'));
put('datasets/sample.js', "export default { summary: 's', downloads: () => [], open() {} };");
put(
  'datasets/dpr.js',
  "export default { summary: 'd', variants: ['nq', 'trivia'], downloads: () => [], open() {} };",
);

async function errorOf(work: Promise<unknown>): Promise<BenchError> {
  const error = await work.then(
    () => assert.fail('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof BenchError, String(error));
  return error;
}

test('every combination that a family allows has a name', async () => {
  assert.deepEqual(await architectureNames(root), [
    'colbert-cls',
    'colbert-cls-sc',
    'mlr',
    'mlr-mix',
    'mlr-sc',
  ]);
});

test('a family as it is, and with a pooling', async () => {
  const multi = await loadArchitecture('colbert-cls', root);
  assert.equal(multi.familyName, 'colbert-cls');
  assert.equal(multi.pooling, undefined);
  const single = await loadArchitecture('colbert-cls-sc', root);
  assert.equal(single.familyName, 'colbert-cls');
  assert.equal(single.pooling?.shortName, 'sc');
  assert.equal(single.poolingName, 'self-contrastive');
});

test('a combination that a family refuses comes with its reason, an unknown one with a near name', async () => {
  const refused = await errorOf(loadArchitecture('colbert-cls-mix', root));
  assert.equal(refused.code, 'UNKNOWN_NAME');
  assert.match(refused.message, /the number of vectors varies/);
  const slip = await errorOf(loadArchitecture('mrl-sc', root));
  assert.match(slip.message, /There is no architecture 'mrl-sc'\. Did you mean 'mlr-sc'\?/);
  assert.match(slip.hint ?? '', /colbert-cls, colbert-cls-sc, mlr, mlr-mix, mlr-sc/);
  for (const name of ['', '-sc', 'mlr-', 'mlr-toString', '../architectures/mlr']) {
    assert.equal((await errorOf(loadArchitecture(name, root))).code, 'UNKNOWN_NAME', name);
  }
});

test('datasets with and without variants', async () => {
  assert.deepEqual(await datasetNames(root), ['dpr', 'dpr/nq', 'dpr/trivia', 'sample']);
  assert.equal((await loadDataset('sample', root)).variant, undefined);
  assert.equal((await loadDataset('dpr/nq', root)).variant, 'nq');
  assert.match((await errorOf(loadDataset('sampel', root))).message, /Did you mean 'sample'/);
  assert.match((await errorOf(loadDataset('dpr/trivai', root))).message, /Did you mean 'dpr\/trivia'/);
  assert.match((await errorOf(loadDataset('sample/nq', root))).message, /has no variants/);
});

test('a folder without plug-ins, and files that are none', async () => {
  assert.deepEqual(reportNames(root), []);
  assert.equal((await errorOf(loadReport('html', root))).code, 'UNKNOWN_NAME');
  mkdirSync(path.join(root, 'reports'));
  put('reports/half.js', "export default { summary: 'r' };");
  put('reports/none.js', 'export const render = 1;');
  put('reports/broken.js', 'export default {');
  assert.deepEqual(reportNames(root), ['broken', 'half', 'none']);
  const half = await errorOf(loadReport('half', root));
  assert.equal(half.code, 'PLUGIN_INVALID');
  assert.match(
    half.message,
    /reports.half\.ts is not a plug-in: it lacks extension \(string\), render \(function\)/,
  );
  assert.match((await errorOf(loadReport('none', root))).message, /none\.ts is not a plug-in/);
  assert.match((await errorOf(loadReport('broken', root))).message, /broken\.ts does not load/);
});
