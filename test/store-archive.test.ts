/** Archives are unpacked whole or not at all, and never outside their folder. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { unpack } from '../harness/store/archive.js';
import { inFixtures } from './places.js';

const fixtures = inFixtures('archives');

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-archive-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** The archive in a folder of its own, so that anything written outside is seen. */
async function place(name: string): Promise<string> {
  await mkdir(path.join(root, 'downloads'), { recursive: true });
  const archive = path.join(root, 'downloads', name);
  await copyFile(path.join(fixtures, name), archive);
  return archive;
}

const everything = async () => (await readdir(root, { recursive: true })).sort();

for (const name of ['good.zip', 'good.tar', 'good.tar.gz']) {
  test(`${name} is unpacked beside itself, once`, async () => {
    const archive = await place(name);
    const folder = await unpack(archive);
    assert.equal(folder, `${archive}.unpacked`);
    assert.deepEqual((await readdir(folder, { recursive: true })).sort(), [
      'set',
      'set/corpus.jsonl',
      'set/qrels',
      'set/qrels/test.tsv',
    ]);
    assert.equal(await readFile(path.join(folder, 'set/corpus.jsonl'), 'utf8'), '{"_id":"a"}\n');
    await writeFile(path.join(folder, 'mark'), '');
    await unpack(archive);
    assert.ok((await readdir(folder)).includes('mark'), 'it is left as it is');
    assert.deepEqual(await readdir(path.join(root, 'downloads')), [name, `${name}.unpacked`]);
  });
}

test('two that want the same folder at once both get it', async () => {
  const archive = await place('good.zip');
  const [a, b] = await Promise.all([unpack(archive), unpack(archive)]);
  assert.equal(a, b);
  assert.deepEqual(await readdir(path.join(root, 'downloads')), ['good.zip', 'good.zip.unpacked']);
});

test('what a killed attempt left is removed', async () => {
  const archive = await place('good.zip');
  await mkdir(`${archive}.unpacked.partial-999999999/set`, { recursive: true });
  await unpack(archive);
  assert.deepEqual(await readdir(path.join(root, 'downloads')), ['good.zip', 'good.zip.unpacked']);
});

const outside = /outside its folder/;
for (const [name, pattern] of [
  ['outside.zip', outside],
  ['absolute.zip', outside],
  ['backslash.zip', outside],
  ['outside.tar.gz', outside],
  ['absolute.tar.gz', outside],
  ['link.zip', /neither a file nor a folder/],
  ['link.tar.gz', /neither a file nor a folder/],
  ['cut.zip', /no zip or tar file that can be unpacked/],
  ['cut.tar.gz', /no zip or tar file that can be unpacked/],
] as const) {
  test(`${name} is refused, and nothing is left of it`, async () => {
    const archive = await place(name);
    await assert.rejects(unpack(archive), (error) => {
      assert.ok(error instanceof BenchError, String(error));
      assert.equal(error.code, 'DATA_INVALID');
      assert.match(error.message, pattern);
      assert.ok(error.message.includes(archive));
      return true;
    });
    assert.deepEqual(await everything(), ['downloads', `downloads/${name}`]);
  });
}
