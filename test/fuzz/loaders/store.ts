/** The cache: archives, manifests, what is remembered of files, locks; and hits on disk. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { BenchError } from '../../../harness/errors.js';
import { HitParts, readHits } from '../../../harness/pipeline/hit-files.js';
import { finishPiece, readPiece, wholePiece } from '../../../harness/pipeline/hit-pieces.js';
import { unpack } from '../../../harness/store/archive.js';
import { withDigest } from '../../../harness/store/digest.js';
import { fetchFile } from '../../../harness/store/download.js';
import { keyOf } from '../../../harness/store/hash.js';
import { verifyHolding } from '../../../harness/store/holdings.js';
import { inventory } from '../../../harness/store/inventory.js';
import { removeLeftLock, withLock } from '../../../harness/store/lock.js';
import { madeBefore } from '../../../harness/store/made.js';
import { readManifest } from '../../../harness/store/manifest.js';
import { Store } from '../../../harness/store/store.js';
import { isOwned, isTemporary } from '../../../harness/store/temporary.js';
import { removeUnfinished, unfinishedFolder } from '../../../harness/store/unfinished.js';
import { type Files, type Loader, UnfitResult } from '../loader.js';
import { fixtureFile, texts, written } from '../valid-files.js';

const archive = (name: string): Files => ({ archive: fixtureFile(`archives/${name}`) });

const key = keyOf({ input: 1 });
const content = Uint8Array.from([1, 2, 3]);
const facts = { count: 3, found: [1, 2] };
const execution = {
  ...{ madeAt: '2026-01-01T00:00:00.000Z', benchVersion: '0.1.0', git: null },
  ...{
    uses: [{ kind: 'shards', key: '0123456789abcdef0123' }],
    about: { dataset: 'squad', system: 'mlr-sc' },
    took: { seconds: 2.5, cpu: 'Made CPU', threads: 2 },
  },
};
const sha256 = createHash('sha256').update(content).digest('hex');
const files = [{ name: 'content', sizeBytes: content.length, sha256 }];
const manifest = JSON.stringify(withDigest({ inputs: { input: 1 }, facts, execution, files }));
const artifact = (): Files => ({
  ...texts({ [`findings/${key}/manifest.json`]: manifest, [`shards/${key}/manifest.json`]: manifest }),
  [`findings/${key}/content`]: content,
});

const verified = (content: string): Files =>
  texts({
    'data.txt': content,
    'data.txt.verified.json': JSON.stringify({
      ...{ sizeBytes: content.length, mtimeMs: 1, ctimeMs: 1, algorithm: 'sha256' },
      hash: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    }),
  });
const download = { name: 'data.txt', url: '', sizeBytes: 0, licence: 'none' };

/** Nobody listens there. */
const nowhere = 'http://127.0.0.1:9/data.txt';

const hits = {
  depth: 3,
  ordinals: [0, 2, 1, 4, 0, 0],
  scores: [3, 2, 1, 9, 0, 0],
  winners: [0, 0, 1, 0, 0, 0],
  counts: [3, 1],
};
const hitArrays = {
  depth: hits.depth,
  ordinals: Int32Array.from(hits.ordinals),
  scores: Float32Array.from(hits.scores),
  winners: Int32Array.from(hits.winners),
  counts: Int32Array.from(hits.counts),
};
const partsMade = { key: 'x', batchSize: 2, partQueries: 2, conditions: {} } as Parameters<
  typeof HitParts.open
>[1];
async function writeParts(folder: string): Promise<HitParts> {
  const parts = await HitParts.open(folder, partsMade);
  await parts.add([hitArrays], 1.5);
  await parts.add([hitArrays], 0.5);
  return parts;
}

async function writePiece(folder: string): Promise<void> {
  const parts = await writeParts(folder);
  await parts.join();
  await removeUnfinished(folder);
  const execution = { buildSeconds: 1, searchSeconds: parts.seconds, conditions: partsMade.conditions };
  const { key, depth } = { ...partsMade, ...hits };
  await finishPiece(folder, { key, depth, firstPassage: 8, searcher: 'exact', execution });
}

const takeHits = (folder: string) =>
  new Store(folder).artifact('runs', { input: 1 }, async (made) => {
    await (await writeParts(made)).join();
    rmSync(path.join(made, 'parts'), { recursive: true, force: true });
    return { depth: hits.depth };
  });

const loaders: readonly Loader[] = [
  {
    name: 'archive',
    writes: true,
    inputs: () =>
      ['good.tar', 'good.tar.gz', 'good.zip', 'outside.zip', 'absolute.tar.gz', 'link.zip'].map(archive),
    codes: ['DATA_INVALID'],
    async load(folder) {
      const failed = await unpack(path.join(folder, 'archive')).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      const left = readdirSync(folder).filter((name) => !['archive', 'archive.unpacked'].includes(name));
      if (left.length > 0) throw new UnfitResult(`${left.join(', ')} is left behind`);
      if (failed !== undefined) throw failed.error;
    },
  },
  {
    name: 'manifest',
    writes: true,
    inputs: () => [artifact()],
    codes: ['CACHE_INVALID'],
    async load(folder) {
      await inventory(folder);
      await readManifest(path.join(folder, 'shards', key));
      const store = new Store(folder);
      const make = async () => ({ count: 3 });
      const found = await store.artifact<{ count: number }>('findings', { input: 1 }, make);
      if (found.key !== key) throw new UnfitResult(`the key ${found.key}`);
    },
  },
  {
    // What an attempt that was stopped while it hashed had made.
    name: 'made',
    inputs: () => [
      texts({
        [`${unfinishedFolder('.')}/made.json`]: JSON.stringify(withDigest({ facts, execution, files: [] })),
      }),
    ],
    codes: ['CACHE_INVALID'],
    async load(folder) {
      await madeBefore(folder);
    },
  },
  {
    name: 'verification',
    writes: true,
    inputs: () => [verified('hello')],
    codes: ['CACHE_INVALID', 'DOWNLOAD_FAILED'],
    async load(folder) {
      if (existsSync(path.join(folder, 'data.txt'))) await verifyHolding(download, folder);
      await fetchFile(download, folder, { offline: true });
    },
  },
  {
    // What an earlier attempt left of a download; nobody answers at the address.
    name: 'download-part',
    writes: true,
    inputs: () => [
      texts({
        'data.txt.part': 'hel',
        'data.txt.part.json': JSON.stringify({ url: nowhere, validator: '"1"' }),
      }),
    ],
    codes: ['DOWNLOAD_FAILED'],
    async load(folder) {
      const published = { ...download, url: nowhere, sizeBytes: 5, md5: '5d41402abc4b2a76b9719d911017c592' };
      try {
        await fetchFile(published, folder, { retries: 0 });
      } catch (error) {
        // This is how every one of them ends.
        if (!(error instanceof BenchError && error.code === 'DOWNLOAD_FAILED')) throw error;
      }
    },
  },
  {
    name: 'lock',
    writes: true,
    inputs: () => [
      texts({ lock: '999999999', '.temporary': 'an owner\nanother\n' }),
      texts({ lock: String(2 ** 22 + 1) }),
    ],
    codes: ['LOCKED'],
    async load(folder) {
      await isTemporary(folder);
      await isOwned(folder, 'another');
      const file = path.join(folder, 'lock');
      await removeLeftLock(file);
      // One without a number is waited for: a process may be about to write it.
      if (!existsSync(file)) await withLock(file, async () => undefined);
    },
  },
  {
    // A finished run, taken from the cache as its users take it.
    name: 'artifact',
    writes: true,
    inputs: async () => [await written(async (folder) => void (await takeHits(folder)))],
    codes: ['CACHE_INVALID'],
    load: async (folder) => checkHits(await readHits(await takeHits(folder))),
  },
  {
    // What a search that was killed left.
    name: 'hit-parts',
    writes: true,
    inputs: async () => [await written(writeParts)],
    codes: ['CACHE_INVALID'],
    async load(folder) {
      const parts = await HitParts.open(folder, partsMade);
      if (!Number.isInteger(parts.queries) || !Number.isFinite(parts.seconds))
        throw new UnfitResult(`${parts.queries} queries in ${parts.seconds} seconds`);
      await parts.join();
    },
  },
  {
    // Hits in some of the shards, made here or on another machine.
    name: 'hit-piece',
    inputs: async () => [await written(writePiece)],
    codes: ['CACHE_INVALID'],
    async load(folder) {
      const facts = await wholePiece(folder, 'x', () => undefined);
      if (facts !== undefined) checkHits(await readPiece(folder, facts, 1, 3));
    },
  },
];

function checkHits({ depth, ordinals, scores, counts }: Awaited<ReturnType<typeof readHits>>): void {
  if (ordinals.length !== counts.length * depth || scores.length !== ordinals.length)
    throw new UnfitResult(`${ordinals.length} ordinals, ${scores.length} scores, ${counts.length} queries`);
  for (const [query, count] of counts.entries()) {
    if (!(count >= 0 && count <= depth)) throw new UnfitResult(`${count} hits of ${depth}`);
    const own = ordinals.subarray(query * depth, query * depth + count);
    if (new Set(own).size !== own.length) throw new UnfitResult(`a passage twice for query ${query}`);
    for (const [i, ordinal] of own.entries()) {
      if (ordinal < 0) throw new UnfitResult(`the ordinal ${ordinal}`);
      if (!Number.isFinite(scores[query * depth + i]))
        throw new UnfitResult(`the score ${scores[query * depth + i]}`);
    }
  }
}

export default loaders;
