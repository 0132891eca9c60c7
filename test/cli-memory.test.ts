/** A limit of the address space, as clusters set them: WebAssembly sets far more of it aside than it uses. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { BenchError, foreignFault } from '../harness/errors.js';
import { cli } from './places.js';

const folder = mkdtempSync(path.join(tmpdir(), 'strata-memory-'));
after(() => rmSync(folder, { recursive: true }));

/** With 20 GiB of address space. */
function limited(script: string, env: Readonly<Record<string, string>> = {}) {
  const { status, stderr } = spawnSync('/bin/sh', ['-c', `ulimit -v 20971520; exec ${script}`], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stderr };
}

const skip = process.platform === 'linux' ? false : 'ulimit -v limits the address space on Linux';
describe('WebAssembly without address space', { skip }, () => {
  // The distributions of statistics are WebAssembly; what compares loads them before it reads a record.
  const compare = `"${process.execPath}" "${cli}" compare nowhere.record.json`;

  test('says what it needs, and how to do without', () => {
    const { status, stderr } = limited(compare);
    assert.equal(status, 3, stderr);
    assert.match(
      stderr,
      /^error OUT_OF_MEMORY: .* address space that WebAssembly needs: 10 GiB for each module/m,
    );
    assert.match(stderr, /^hint: .*ulimit -v.*NODE_OPTIONS=--disable-wasm-trap-handler$/m);
    assert.doesNotMatch(stderr, /^ +at /m);
  });

  test('the hint helps', () => {
    const { status, stderr } = limited(compare, { NODE_OPTIONS: '--disable-wasm-trap-handler' });
    assert.equal(status, 2, stderr);
    assert.match(stderr, /^error PATH_INVALID: .*nowhere\.record\.json/m);
  });
});

test('what says that there is no memory is no bug', () => {
  const faults = [
    new RangeError('Array buffer allocation failed'),
    new Error('std::bad_alloc'),
    new Error('Non-zero status code returned: Failed to allocate memory for requested buffer of size 4096'),
    Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' }),
  ];
  for (const fault of faults) {
    const told = foreignFault(fault);
    assert.ok(
      told instanceof BenchError && told.code === 'OUT_OF_MEMORY' && told.cause === fault,
      fault.message,
    );
  }
  const bug = new RangeError('Invalid typed array length: -1');
  assert.equal(foreignFault(bug), bug);
});
