import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { BenchError } from '../harness/errors.js';
import { silentProgress } from '../harness/progress.js';
import { removeLeftLock, waitForOthers, withLock } from '../harness/store/lock.js';
import { ownerText } from '../harness/store/owner.js';
import { removeClosed } from './open-files.js';
import { ownerOf, ownerThatEnded } from './other-owners.js';

/** Of this process. */
const leaseSeconds = 1;
process.env.BENCH_LEASE_SECONDS = String(leaseSeconds);

let folder: string;
let lock: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-lock-'));
  lock = path.join(folder, 'deep', 'lock');
});
afterEach(() => removeClosed(folder));

const isLocked = (error: unknown) => error instanceof BenchError && error.code === 'LOCKED';

test('gives back what the work gives, and the lock', async () => {
  const result = await withLock(lock, async () => {
    assert.ok((await readFile(lock, 'utf8')).startsWith(ownerText()));
    return 7;
  });
  assert.equal(result, 7);
  assert.ok(!existsSync(lock));
});

test('gives the lock back where the work fails', async () => {
  await assert.rejects(
    withLock(lock, () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.ok(!existsSync(lock));
});

test('is refused while it is held, in this process too', async () => {
  await withLock(lock, async () => {
    await assert.rejects(
      withLock(lock, async () => undefined, 0),
      isLocked,
    );
    assert.ok(existsSync(lock), 'the refused one did not take it away');
  });
});

test('work of one process takes turns where it may wait', async () => {
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 30));
    order.push(`${name} ends`);
  };
  await Promise.all([withLock(lock, work('a'), 10_000), withLock(lock, work('b'), 10_000)]);
  assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends']);
});

test('the lock of a process that died is taken over', async () => {
  await withLock(lock, async () => undefined);
  await writeFile(lock, ownerThatEnded());
  assert.equal(await withLock(lock, async () => 1), 1);
});

test('the lock that a namesake of this process left is taken over', async () => {
  await withLock(lock, async () => undefined);
  await writeFile(lock, ownerText());
  assert.equal(await withLock(lock, async () => 1), 1);
});

test('the lock of a living process is not, and the error names it', async () => {
  await withLock(lock, async () => undefined);
  await writeFile(lock, ownerOf(process.ppid));
  await assert.rejects(
    withLock(lock, async () => undefined, 50),
    (error) => isLocked(error) && (error as Error).message.includes(String(process.ppid)),
  );
});

test('a lock without an owner is waited for while it is fresh, and taken over once it is old', async () => {
  await withLock(lock, async () => undefined);
  await writeFile(lock, '');
  const asked = withLock(lock, async () => undefined, 0);
  const refused = assert.rejects(asked, (error) => isLocked(error) && /Process \d+ is/.test(String(error)));
  await new Promise((resolve) => setTimeout(resolve, 100));
  await writeFile(lock, ownerOf(process.ppid));
  await refused;
  await writeFile(lock, '');
  // Whatever a clock says that is ahead or behind: what counts is how long it lies there.
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(lock, longAgo, longAgo);
  const began = performance.now();
  assert.equal(await withLock(lock, async () => 1), 1);
  assert.ok(performance.now() - began > 1000 * leaseSeconds - 100);
});

test('a lock that was left on something finished is removed, unless its holder lives', async () => {
  await withLock(lock, async () => undefined);
  await writeFile(lock, ownerOf(process.ppid));
  await removeLeftLock(lock);
  assert.equal(await readFile(lock, 'utf8'), ownerOf(process.ppid));
  await withLock(`${lock}.held`, async () => {
    await removeLeftLock(`${lock}.held`);
    assert.ok(existsSync(`${lock}.held`));
  });
  // A namesake's: this process holds no such lock.
  await writeFile(lock, ownerText());
  await removeLeftLock(lock);
  await assert.rejects(readFile(lock), { code: 'ENOENT' });
  await removeLeftLock(lock);
});

describe('waiting as a command does', () => {
  after(() => waitForOthers({ waits: true }));
  const notesOfWaits = (): string[] => {
    const notes: string[] = [];
    waitForOthers({ waits: true, job: { ...silentProgress(), note: (line) => notes.push(line) } });
    return notes;
  };
  const soon = (work: () => void) => setTimeout(work, 700);

  test('is told once, with the holder and since when, and goes on when the holder is done', async () => {
    const notes = notesOfWaits();
    await withLock(lock, async () => undefined);
    await writeFile(lock, ownerOf(process.ppid));
    soon(() => rm(lock));
    assert.equal(await withLock(lock, async () => 1), 1);
    assert.equal(notes.length, 1);
    const since = String.raw`since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;
    const what = path.dirname(lock);
    assert.match(notes[0]!, new RegExp(`^Process ${process.ppid} is working on ${what}, ${since}: waiting`));
  });

  test('a short wait is not worth a line', async () => {
    const notes = notesOfWaits();
    const short = withLock(lock, () => new Promise<void>((resolve) => setTimeout(resolve, 30)));
    await Promise.all([short, withLock(lock, async () => undefined)]);
    assert.deepEqual(notes, []);
  });

  test('a holder that dies is noticed', async () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
    await withLock(lock, async () => undefined);
    await writeFile(lock, ownerOf(child.pid!));
    soon(() => child.kill('SIGKILL'));
    assert.equal(await withLock(lock, async () => 1), 1);
  });

  test('ends when it is to stop, and leaves the lock to its holder', async () => {
    const controller = new AbortController();
    waitForOthers({ waits: true, job: silentProgress(controller.signal) });
    await withLock(lock, async () => undefined);
    await writeFile(lock, ownerOf(process.ppid));
    soon(() => controller.abort());
    await assert.rejects(
      withLock(lock, async () => assert.fail('it is held')),
      { code: 'INTERRUPTED' },
    );
    assert.equal(await readFile(lock, 'utf8'), ownerOf(process.ppid));
    assert.ok(existsSync(lock));
  });

  test('does not wait where that is wished for', async () => {
    waitForOthers({ waits: false });
    await withLock(lock, async () => undefined);
    await writeFile(lock, ownerOf(process.ppid));
    await assert.rejects(
      withLock(lock, async () => undefined),
      isLocked,
    );
  });
});

test('of several processes that find a dead holder, one works at a time', async () => {
  const program = pathToFileURL(path.join(import.meta.dirname, '../harness/store/lock.js')).href;
  const busy = path.join(folder, 'busy');
  // Each dies holding the lock, so that all the others find it abandoned at about the same moment.
  const script = `import { withLock } from ${JSON.stringify(program)};
    import { open, rm } from 'node:fs/promises';
    const work = async () => {
      const handle = await open(${JSON.stringify(busy)}, 'wx'); // fails where another is at work
      await handle.close();
      await new Promise((resolve) => setTimeout(resolve, 20));
      await rm(${JSON.stringify(busy)});
      process.kill(process.pid, 'SIGKILL');
    };
    for (;;) await withLock(${JSON.stringify(lock)}, work, 2).catch((error) => {
      if (error.code !== 'LOCKED') throw error;
    });`;
  const children = Array.from({ length: 8 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' }),
  );
  const exits = await Promise.all(children.map((child) => once(child, 'exit')));
  assert.deepEqual(
    exits.map(([, signal]) => signal),
    children.map(() => 'SIGKILL'),
  );
});
