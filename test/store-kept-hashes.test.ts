/** Hashes of files that are kept from one run to the next: right, or taken anew. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { withDigest } from '../harness/store/digest.js';
import { keptHash } from '../harness/store/kept-hashes.js';
import { temporaryFolder } from './made-index.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
/** Until the clock of the file system shows that a file has changed. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 50));

test('a hash is kept until the file is touched, and no longer', async (t) => {
  const root = await temporaryFolder(t);
  const file = path.join(root, 'corpus.jsonl');
  const cache = path.join(root, 'cache');
  await writeFile(file, 'one');
  await settled();
  assert.equal(await keptHash(cache, file), sha256('one'));
  const [name] = await readdir(path.join(cache, 'hashes'));
  const kept = path.join(cache, 'hashes', name!);
  const known = JSON.parse(await readFile(kept, 'utf8'));
  assert.equal(known.sha256, sha256('one'));
  // What is kept is what is taken, or it would be kept for nothing.
  await writeFile(kept, JSON.stringify(withDigest({ ...known, sha256: sha256('two') })));
  assert.equal(await keptHash(cache, file), sha256('two'));
  // A digit that is another, in a file that nobody wrote so.
  await writeFile(kept, JSON.stringify({ ...known, sha256: sha256('two') }));
  assert.equal(await keptHash(cache, file), sha256('one'));
  await writeFile(kept, JSON.stringify(withDigest({ ...known, sha256: sha256('two') })));
  assert.equal(await keptHash(cache, file, true), sha256('one'));
  for (const damaged of ['', '{', 'null', '[]', JSON.stringify({ ...known, sha256: 1 })]) {
    await writeFile(kept, damaged);
    assert.equal(await keptHash(cache, file), sha256('one'), damaged);
  }
  // With its size and time as before.
  const time = new Date(known.mtimeMs);
  await writeFile(file, 'two');
  await utimes(file, time, time);
  await settled();
  assert.equal(await keptHash(cache, file), sha256('two'));
});

test('a file that was changed just now is hashed, and nothing is kept', async (t) => {
  const root = await temporaryFolder(t);
  const file = path.join(root, 'corpus.jsonl');
  for (const text of ['one', 'two', 'six']) {
    await writeFile(file, text);
    assert.equal(await keptHash(path.join(root, 'cache'), file), sha256(text));
  }
});
