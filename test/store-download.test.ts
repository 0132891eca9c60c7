/** A download is checked, remembered, and refused where it is another file. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fetchFile } from '../harness/store/download.js';
import { readVerification, remember } from '../harness/store/verification.js';
import { content, digest, failsWith, loopback, other, serve } from './loopback.js';

const at = loopback();

test('brings a file, checks it, and asks for it only once', async () => {
  at.handle = serve(content);
  const progress: number[] = [];
  const file = await at.get({ onProgress: (done) => progress.push(done) });
  assert.equal(file, at.file);
  await at.isWhole();
  assert.equal(progress[0], 0);
  assert.equal(progress.at(-1), content.length);
  assert.equal(at.seen[0]?.['accept-encoding'], 'identity');
  await at.get();
  await at.get({ offline: true });
  assert.equal(at.seen.length, 1);
});

test('takes an md5 where no sha256 is known', async () => {
  at.handle = serve(content);
  const { sha256: _, ...rest } = at.download();
  await fetchFile({ ...rest, md5: digest(content, 'md5').toUpperCase() }, at.folder);
  await at.isWhole();
});

test('does not hash again what it knows, and does once the file is touched', async () => {
  at.handle = serve(content);
  const file = await at.get();
  // Whole seconds, which every file system can set again.
  const mtime = new Date(1_700_000_000_000);
  await utimes(file, mtime, mtime);
  await at.get();
  await writeFile(file, other);
  await utimes(file, mtime, mtime);
  // As if the other bytes were what was verified: what is known is not hashed.
  const { algorithm, hash } = (await readVerification(file))!;
  await remember(file, { algorithm, hash });
  await at.get();
  // Written again, with the same size and time.
  await writeFile(file, other);
  await utimes(file, mtime, mtime);
  await failsWith(at.get(), 'CACHE_INVALID', file, digest(other), 'Delete it');
  assert.ok((await readFile(file)).equals(other), 'the file is left alone');
});

test('takes a file put there by hand, and refuses a wrong one', async () => {
  const file = at.file;
  await writeFile(file, content);
  await at.get({ offline: true });
  assert.ok(existsSync(`${file}.verified.json`));
  await writeFile(file, content.subarray(1));
  await failsWith(at.get(), 'CACHE_INVALID', `${content.length - 1} bytes`, `${content.length} bytes`);
  assert.equal(at.seen.length, 0);
});

test('a changed expectation is not satisfied by an old verification', async () => {
  at.handle = serve(content);
  await at.get();
  await failsWith(at.get({}, { sha256: digest(other) }), 'CACHE_INVALID', digest(content), digest(other));
});

test('a wrong hash removes the file and says what came', async () => {
  at.handle = serve(other);
  await failsWith(at.get(), 'DOWNLOAD_FAILED', at.url, digest(content), digest(other));
  assert.deepEqual(await readdir(at.folder), []);
});

test('a wrong length is refused before the bytes are brought', async () => {
  at.handle = serve(content.subarray(5));
  await failsWith(at.get(), 'DOWNLOAD_FAILED', `${content.length - 5}`, `${content.length}`, 'changed');
  assert.ok(!existsSync(at.file));
});

test('more bytes than promised are refused where no length is told', async () => {
  at.handle = (_, response) => {
    response.write(content);
    response.end('x');
  };
  await failsWith(at.get(), 'DOWNLOAD_FAILED', 'more came');
});

test('offline says what is missing, where it is from and where it goes', async () => {
  const file = at.file;
  await failsWith(
    at.get({ offline: true }),
    'DOWNLOAD_FAILED',
    file,
    at.url,
    digest(content),
    `${content.length}`,
  );
  await failsWith(
    at.get({}, { url: '', instructions: 'Ask the publisher for it.' }),
    'DOWNLOAD_FAILED',
    'Ask the publisher',
    file,
  );
});

test('a file where the folder should be is said', async () => {
  await writeFile(path.join(at.folder, 'file'), '');
  await failsWith(fetchFile(at.download(), path.join(at.folder, 'file', 'sub')), 'PATH_INVALID', 'file');
});
