/** Several calls and processes want one file; one of them is killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { content, loopback, serve } from './loopback.js';

const at = loopback();

test('two calls of one process bring it once', async () => {
  at.handle = serve(content);
  await Promise.all([at.get(), at.get(), at.get()]);
  assert.equal(at.seen.length, 1);
  await at.isWhole();
});

/** A process of its own that fetches the file; says each piece on stdout. */
function fetchInChild() {
  const program = pathToFileURL(path.join(import.meta.dirname, '../harness/store/download.js')).href;
  const script = `import { fetchFile } from ${JSON.stringify(program)};
    await fetchFile(${JSON.stringify(at.download())}, ${JSON.stringify(at.folder)}, { onProgress: (done) => console.log(done) });`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('kill -9 in the middle: the next process goes on, and the bytes are right', async () => {
  at.handle = (_, response) => {
    response.setHeader('content-length', content.length);
    response.setHeader('etag', '"v1"');
    response.write(content.subarray(0, 123_456));
  };
  const child = fetchInChild();
  const ended = once(child, 'exit');
  for await (const line of child.stdout) if (/^123456$/m.test(String(line))) break;
  child.kill('SIGKILL');
  await ended;
  assert.ok(!existsSync(at.file));
  assert.ok(existsSync(`${at.file}.lock`), 'it died holding the lock');
  at.handle = serve(content);
  const second = fetchInChild();
  second.stdout.resume();
  assert.deepEqual(await once(second, 'exit'), [0, null]);
  await at.isWhole();
  assert.equal(at.seen.at(-1)?.range, 'bytes=123456-');
});

test('two processes at once bring it once and both succeed', async () => {
  at.handle = (_, response) => {
    response.setHeader('content-length', content.length);
    response.write(content.subarray(0, 200_000));
    setTimeout(() => response.end(content.subarray(200_000)), 400);
  };
  const children = [fetchInChild(), fetchInChild()];
  const exits = children.map((child) => {
    child.stdout.resume();
    return once(child, 'exit');
  });
  for (const exit of exits) assert.deepEqual(await exit, [0, null]);
  await at.isWhole();
  assert.equal(at.seen.length, 1);
});
