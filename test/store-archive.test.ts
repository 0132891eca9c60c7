/** Archives are unpacked whole or not at all, and never outside their folder. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { type MadeEntry, tarOf, zipOf } from '../harness/perf/made-archives.js';
import { unpack } from '../harness/store/archive.js';
import { removeClosed } from './open-files.js';
import { ownerThatEnded } from './other-owners.js';
import { inFixtures } from './places.js';

const fixtures = inFixtures('archives');

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-archive-'));
});
afterEach(() => removeClosed(root));

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
  await mkdir(`${archive}.unpacked.partial-${ownerThatEnded()}/set`, { recursive: true });
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
  ['enotempty.tar', /checksum failure/],
  ['dup.zip', /holds "a" twice/],
  ['filedir.tar', /holds "a" as a file and as a folder/],
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

describe('archives that are put together here', () => {
  const formats = {
    zip: zipOf,
    tar: (entries: MadeEntry[]) => tarOf(entries),
    'tar.gz': (entries: MadeEntry[]) => tarOf(entries, { packed: true }),
  };
  const write = async (bytes: Uint8Array) => {
    const archive = path.join(root, 'made');
    await writeFile(archive, bytes);
    return archive;
  };
  const refused = async (unpacking: Promise<unknown>, pattern: RegExp) => {
    await assert.rejects(unpacking, (error) => {
      assert.ok(error instanceof BenchError && error.code === 'DATA_INVALID', String(error));
      assert.match(error.message, pattern);
      return true;
    });
    assert.deepEqual(await everything(), ['made']);
  };

  for (const [format, made] of Object.entries(formats)) {
    test(`${format}: what was put in comes out, large entries and empty ones`, async () => {
      const large = 'some words\n'.repeat(1e5);
      const entries = [
        { name: 'a/' },
        { name: 'a/empty', content: '' },
        { name: 'a/b/large', content: large },
        { name: 'c', content: 'c' },
      ];
      const folder = await unpack(await write(made(entries)));
      for (const { name, content } of entries)
        if (content !== undefined)
          assert.equal(await readFile(path.join(folder, name), 'utf8'), content, name);
    });

    test(`${format}: a file where a folder is, or a folder where a file is, or one name twice, is refused`, async () => {
      const x = { name: 'x', content: '' };
      for (const entries of [
        [x, { name: 'x/' }],
        [{ name: 'x/' }, x],
        [x, { name: 'x/y', content: '' }],
        [{ name: 'x/y', content: '' }, x],
      ])
        await refused(unpack(await write(made(entries))), /as a file and as a folder/);
      await refused(unpack(await write(made([x, { name: './x', content: '' }]))), /twice/);
    });

    test(`${format}: no more comes out than the limits say, unless nobody asks`, async () => {
      // Beyond the 64 MiB that any archive may have.
      const entries = [{ name: 'zeros', content: Buffer.alloc(80 << 20) }];
      const archive = await write(made(entries));
      await refused(unpack(archive, { bytes: 1e6, ratio: 1e6 }), /More than 1000000 bytes come out/);
      if (format !== 'tar') await refused(unpack(archive), /More than 100 times its \d+ bytes come out/);
      await unpack(archive, null);
    });

    test(`${format}: many empty files are as much as their headers`, async () => {
      const entries = Array.from({ length: 300 }, (_, i) => ({ name: `${i}`, content: '' }));
      await refused(unpack(await write(made(entries)), { bytes: 1e5, ratio: 100 }), /More than 100000 bytes/);
    });
  }

  test('exactly as much as the limit says may come out: contents, and 512 bytes for each entry', async () => {
    const entries = [{ name: 'a/' }, { name: 'a/b', content: 'x'.repeat(1000) }, { name: 'c', content: '' }];
    const bytes = 3 * 512 + 1000;
    for (const made of Object.values(formats)) {
      const archive = await write(made(entries));
      await refused(
        unpack(archive, { bytes: bytes - 1, ratio: 1 }),
        new RegExp(`More than ${bytes - 1} bytes`),
      );
      await unpack(archive, { bytes, ratio: 1 });
      await rm(`${archive}.unpacked`, { recursive: true });
    }
  });

  test('a name that no file can have is refused', async () => {
    await refused(unpack(await write(zipOf([{ name: 'n'.repeat(400), content: '' }]))), /ENAMETOOLONG/);
  });

  test('a zip with a wrong checksum is refused by the name of the entry', async () => {
    const archive = await write(
      zipOf([
        { name: 'good', content: 'a' },
        { name: 'bad', content: 'b', crc: 1 },
      ]),
    );
    await refused(unpack(archive), /the checksum of "bad" is wrong/);
  });

  test('what follows the end of a tar file is not kept', async () => {
    const tar = tarOf([{ name: 'a', content: 'a' }]);
    const folder = await unpack(await write(Buffer.concat([tar, Buffer.alloc(5e6, 'x')])));
    assert.deepEqual(await readdir(folder), ['a']);
  });

  test('a relative path is as good as another', async () => {
    const archive = await write(zipOf([{ name: 'a', content: 'a' }]));
    assert.deepEqual(await readdir(await unpack(path.relative('.', archive))), ['a']);
  });
});
