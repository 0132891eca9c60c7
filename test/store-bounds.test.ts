/** Small rules of the store at their first and last value. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { describeContent } from '../harness/store/content.js';
import { holdingOf } from '../harness/store/holdings.js';
import { isCommit, isPathWithin, parseHubName, writtenName } from '../harness/store/hub-names.js';
import { bytesOnDisk } from '../harness/store/inventory.js';
import { leaseMs, parseOwner } from '../harness/store/owner.js';
import { chosen } from '../harness/store/prune.js';
import { neighbourNames } from '../harness/store/running.js';
import { longestRetryAfterMs, mayPass, retryAfterMs } from '../harness/store/transfer-error.js';
import { byHand, isOfSize, isVerified } from '../harness/store/verification.js';
import { passingFolder } from './places.js';

afterEach(() => {
  delete process.env.BENCH_LEASE_SECONDS;
});

test('a lease is from a tenth of a second to a day, a minute where nobody says, and no other', () => {
  const of = (text: string) => {
    process.env.BENCH_LEASE_SECONDS = text;
    return leaseMs();
  };
  assert.equal(leaseMs(), 60_000);
  assert.deepEqual(['', '0.1', '1', '0.2504', '86400'].map(of), [60_000, 100, 1000, 250, 86_400_000]);
  for (const wrong of ['0', '0.0999', '-1', '86400.1', 'x', 'Infinity'])
    assert.throws(() => of(wrong), { code: 'CONFIG_INVALID', message: `BENCH_LEASE_SECONDS is '${wrong}'.` });
});

test('an owner is read from its four parts, and from nothing less', () => {
  const place = '0123456789ab';
  const whole = { pid: 7, place, started: '99', leaseMs: 60_000 };
  assert.deepEqual(parseOwner(`7-${place}-99-60000`), whole);
  assert.deepEqual(parseOwner(`7-${place}-99-60000-0a1b2c3d host`), whole);
  assert.deepEqual(parseOwner(`7-${place}-x-60000`), { pid: 7, place, leaseMs: 60_000 });
  assert.equal(parseOwner('1234567890'), undefined);
  // What is no part is none: letters behind the lease, a place of another length.
  assert.deepEqual(parseOwner(`7-${place}-99-60000z`), undefined);
  assert.deepEqual(parseOwner(`7-${place}0-99-60000`), undefined);
});

test('a server is left alone for as long as it asks, in seconds or until a date, and not for less than nothing', () => {
  const now = Date.parse('2026-01-02T03:04:05Z');
  const of = (text?: string) =>
    retryAfterMs(new Headers(text === undefined ? {} : { 'retry-after': text }), now);
  assert.deepEqual(['0', '1', ' 120 ', '999999999'].map(of), [0, 1000, 120_000, 999_999_999_000]);
  assert.equal(of('Fri, 02 Jan 2026 03:04:35 GMT'), 30_000);
  assert.equal(of('Fri, 02 Jan 2026 03:04:05 GMT'), 0);
  assert.equal(of('Fri, 02 Jan 2026 03:03:05 GMT'), 0);
  for (const nothing of [
    undefined,
    '',
    '-1',
    '1.5',
    '1234567890',
    '2026-01-02T03:05:05Z',
    'soon',
    'Fri, soon',
  ])
    assert.equal(of(nothing), undefined, nothing);
  assert.equal(longestRetryAfterMs, 120_000);
});

test('what may pass is a fault of the server, a time-out and too many requests', () => {
  const statuses = [400, 401, 403, 404, 407, 408, 409, 424, 425, 426, 428, 429, 430, 499, 500, 503, 599];
  assert.deepEqual(statuses.filter(mayPass), [408, 425, 429, 500, 503, 599]);
});

test('a file is of its size where one is given, and verified where nothing of it moved', () => {
  const sized = (sizeBytes: number) => ({ name: 'f', url: 'u', licence: '', sizeBytes });
  assert.deepEqual(
    [0, 1, 2].map((size) => isOfSize({ size: 1 }, sized(size))),
    [true, true, false],
  );
  const state = { size: 1, mtimeMs: 2, ctimeMs: 3 };
  const expected = { algorithm: 'md5', hash: 'a' } as const;
  const known = { ...expected, sizeBytes: 1, mtimeMs: 2, ctimeMs: 3 };
  assert.equal(isVerified(state, known, expected, sized(1)), true);
  assert.equal(isVerified(state, undefined, expected, sized(1)), false);
  for (const changed of [
    { sizeBytes: 2 },
    { mtimeMs: 9 },
    { ctimeMs: 9 },
    { hash: 'b' },
    { algorithm: 'sha256' as const },
  ])
    assert.equal(
      isVerified(state, { ...known, ...changed }, expected, sized(1)),
      false,
      JSON.stringify(changed),
    );
  assert.equal(isVerified(state, known, expected, sized(2)), false);
});

test('what is to be done by hand says size and hash as far as they are known', () => {
  const download = { name: 'f', url: 'https://there/f', licence: '', sizeBytes: 5 };
  assert.equal(
    byHand({ ...download, sha256: 'AB' }, '/here/f'),
    'Fetch https://there/f by other means, and put it at /here/f (5 bytes, sha256 ab).',
  );
  assert.equal(
    byHand({ ...download, sizeBytes: 0, md5: 'Cd', instructions: 'Ask them.' }, '/here/f'),
    'Ask them, and put it at /here/f (of a size that its publisher does not give, md5 cd).',
  );
  assert.equal(
    byHand({ ...download, sizeBytes: 1 }, '/f'),
    'Fetch https://there/f by other means, and put it at /f (1 bytes).',
  );
  assert.equal(byHand({ ...download, url: '', instructions: 'Build it.' }, '/f'), 'Build it.');
});

test('bytes are those of a file, or of all below a folder', async () => {
  const folder = passingFolder('bytes');
  mkdirSync(path.join(folder, 'a', 'b'), { recursive: true });
  writeFileSync(path.join(folder, 'one'), 'x');
  writeFileSync(path.join(folder, 'a', 'b', 'two'), 'yz');
  assert.deepEqual([await bytesOnDisk(path.join(folder, 'one')), await bytesOnDisk(folder)], [1, 3]);
  assert.equal(await bytesOnDisk(path.join(folder, 'a', 'b')), 2);
  await assert.rejects(bytesOnDisk(path.join(folder, 'none')), { code: 'ENOENT' });
});

test('what was not used for longer goes, what was used just so long ago stays, and the largest that may stay does', () => {
  const stored = (key: string, usedMs: number, sizeBytes: number) => ({
    ...{ kind: 'shards' as const, key, folder: key, sizeBytes, usedMs, state: 'finished' as const, uses: [] },
  });
  const all = [stored('a', 900, 10), stored('b', 1000, 20), stored('c', 1100, 5)];
  const keys = (criteria: Parameters<typeof chosen>[1]) => chosen(all, criteria, 1200).map(({ key }) => key);
  assert.deepEqual(keys({}), ['a', 'b', 'c']);
  assert.deepEqual(keys({ olderThanMs: 200 }), ['a']);
  assert.deepEqual(keys({ olderThanMs: 199 }), ['a', 'b']);
  // The latest first: c and b come to 25.
  assert.deepEqual(keys({ maxBytes: 25 }), ['a']);
  assert.deepEqual(keys({ maxBytes: 24 }), ['b', 'a']);
  assert.deepEqual(keys({ maxBytes: 35 }), []);
  assert.deepEqual(keys({ named: new Set(['b']) }), ['a', 'c']);
  assert.deepEqual(keys({ kinds: ['runs'] }), []);
  assert.deepEqual(keys({ system: 'mlr' }), []);
});

test('neighbours are named with their numbers, hosts and times', () => {
  const one = { pid: 3, host: hostname(), beganMs: 0 };
  const time = new Date(0).toLocaleString('sv-SE');
  assert.equal(
    neighbourNames([one, { ...one, pid: 4, host: 'b' }]),
    `process 3 on ${hostname()}, since ${time}; process 4 on b, since ${time}`,
  );
});

test('names of the hub, their revisions, commits and paths: the shortest, the longest, and what leads elsewhere', () => {
  const parsed = (text: string) => {
    const found = parseHubName(text);
    if (found !== undefined) assert.equal(writtenName(found), text);
    return found && [found.repository, found.revision];
  };
  assert.deepEqual(parsed('a'), ['a', undefined]);
  assert.deepEqual(parsed('a/b.c-d_e@v1.0'), ['a/b.c-d_e', 'v1.0']);
  assert.deepEqual(parsed('a/b@refs/pr/1'), ['a/b', 'refs/pr/1']);
  for (const none of [
    '',
    'a/',
    '/b',
    'a/b/c',
    '.a/b',
    'a/.b',
    'a b',
    'a@',
    'a@b//c',
    'a@../c',
    'a@-b',
    'a@b@c',
  ])
    assert.equal(parsed(none), undefined, none);
  const commits = ['0'.repeat(7), '0'.repeat(8), 'f'.repeat(64), 'f'.repeat(65), 'G'.repeat(40), 40];
  assert.deepEqual(commits.map(isCommit), [false, true, true, false, false, false]);
  const within = ['a', 'a/b.c', '.hidden', 'x'.repeat(1000), 'a/...'];
  for (const file of within) assert.equal(isPathWithin(file), true, file);
  const without = [
    '',
    '/a',
    'a/',
    'a//b',
    '.',
    'a/.',
    '..',
    'a/../b',
    'a\\b',
    'c:a',
    'a\nb',
    'x'.repeat(1001),
    7,
  ];
  for (const file of without) assert.equal(isPathWithin(file), false, String(file));
});

test('of a download one byte is a part, none is nothing, and what is no file or of another size is wrong', async () => {
  const folder = passingFolder('holdings');
  const hold = async (name: string, sizeBytes = 2) => {
    const download = { name, url: 'u', licence: '', sizeBytes, sha256: 'ab' };
    const { state, sizeBytes: here, found } = await holdingOf(download, folder);
    return [state, here, found];
  };
  assert.deepEqual(await hold('absent'), ['missing', 0, undefined]);
  writeFileSync(path.join(folder, 'empty.part'), '');
  assert.deepEqual(await hold('empty'), ['missing', 0, undefined]);
  writeFileSync(path.join(folder, 'begun.part'), 'x');
  assert.deepEqual(await hold('begun'), ['partly', 1, undefined]);
  writeFileSync(path.join(folder, 'there'), 'xy');
  assert.deepEqual(await hold('there'), ['here', 2, undefined]);
  assert.deepEqual(await hold('there', 0), ['here', 2, undefined]);
  assert.deepEqual(await hold('there', 3), ['wrong', 2, '2 bytes']);
  mkdirSync(path.join(folder, 'folder'));
  assert.deepEqual(
    (await hold('folder', 0)).filter((_, i) => i !== 1),
    ['wrong', 'no file'],
  );
});

test('files of an artifact are described in the order of their names, however the file system lists them', async () => {
  const folder = passingFolder('content');
  const names = Array.from({ length: 40 }, (_, i) => `${(i * 17) % 40}-part`).concat(
    'z/a',
    'a/z',
    'Z',
    'a b',
  );
  mkdirSync(path.join(folder, 'z'));
  mkdirSync(path.join(folder, 'a'));
  for (const name of names) writeFileSync(path.join(folder, name), name);
  const described = await describeContent(folder, 'shards');
  assert.deepEqual(
    described.map(({ name, sizeBytes }) => [name, sizeBytes]),
    names.toSorted().map((name) => [name, name.length]),
  );
});
