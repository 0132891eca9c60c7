/**
 * Brings an artifact from a store on a server into the cache: every file checked by size and sha256, then all of them put in place,
 * then the manifest. What was brought before a kill or a cut is gone on with; what lies in place already, and is right, is not
 * brought again.
 */
import { copyFile, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BenchError, fileError } from '../../errors.js';
import { assertGoesOn } from '../../interruption.js';
import type { PlacedArtifact } from '../artifact.js';
import { discard, temporaryName, writeFirstJson } from '../atomic.js';
import { type ContentFile, contentNames, type Told } from '../content.js';
import { assertHeld, LostLock } from '../fence.js';
import { hashFile } from '../hash.js';
import { makeFolder } from '../make-folder.js';
import { manifestFile } from '../manifest.js';
import { sizeOf } from '../transfer.js';
import { removeUnfinished, unfinishedFolder } from '../unfinished.js';
import type { Bucket } from './bucket.js';
import { storeFault } from './faults.js';
import { fileAt, storeDamage, type WholeManifest } from './layout.js';
import { atOnce, Moved } from './moved.js';

/** Further attempts at a file whose connection is cut, counted anew whenever one has gained bytes. */
const retries = 5;
const longestPauseMs = 10_000;

/**
 * @param artifact whose lock this process holds
 * @throws BenchError CACHE_INVALID where the store does not hold what its manifest names; DISK_FULL, UNAVAILABLE, INTERRUPTED
 */
export async function fetchArtifact(
  bucket: Bucket,
  { kind, folder }: PlacedArtifact,
  manifest: WholeManifest,
  told: Told | undefined,
): Promise<void> {
  const missing: ContentFile[] = [];
  for (const file of manifest.files) if (!(await isInPlace(folder, file))) missing.push(file);
  const moved = new Moved(`fetch ${kind}`, missing, told);
  const bySha256 = new Map<string, ContentFile[]>();
  for (const file of missing) bySha256.set(file.sha256, [...(bySha256.get(file.sha256) ?? []), file]);
  const place = path.join(unfinishedFolder(folder), 'fetched');
  await makeFolder(place);
  await atOnce([...bySha256.values()], async ([file, ...alike]) => {
    const part = path.join(place, file!.sha256);
    await bring(bucket, file!, part, moved);
    for (const { sizeBytes } of alike) moved.by(sizeBytes);
  });
  moved.end();
  const named = new Set(manifest.files.map(({ name }) => name));
  await assertHeld(folder);
  // What an attempt at making it left is none of the artifact's.
  for (const name of await contentNames(folder))
    if (!named.has(name)) await rm(path.join(folder, name), { force: true });
  for (const [sha256, alike] of bySha256) {
    for (const { name } of alike.slice(1)) await copyInto(path.join(place, sha256), path.join(folder, name));
    await moveInto(path.join(place, sha256), path.join(folder, alike[0]!.name));
  }
  if (!(await writeFirstJson(path.join(folder, manifestFile), manifest)))
    throw new LostLock(path.join(folder, 'lock'));
  await removeUnfinished(folder);
}

async function isInPlace(folder: string, { name, sizeBytes, sha256 }: ContentFile): Promise<boolean> {
  const file = path.join(folder, name);
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() === true && found.size === sizeBytes && (await hashFile(file)) === sha256;
}

async function moveInto(from: string, target: string): Promise<void> {
  await makeFolder(path.dirname(target));
  await assertHeld(target);
  await rename(from, target).catch((error: unknown) => {
    throw fileError(error, target);
  });
}

async function copyInto(from: string, target: string): Promise<void> {
  await makeFolder(path.dirname(target));
  const temporary = temporaryName(target);
  try {
    await copyFile(from, temporary);
    await moveInto(temporary, target);
  } catch (error) {
    throw fileError(error, target);
  } finally {
    await discard(temporary);
  }
}

/** The whole file under the name of its part, checked. */
async function bring(bucket: Bucket, file: ContentFile, part: string, moved: Moved): Promise<void> {
  let wasContinued = (await sizeOf(part)) > 0;
  moved.by(Math.min(await sizeOf(part), file.sizeBytes));
  for (;;) {
    await attempts(bucket, file, part, moved);
    if ((await hashFile(part)) === file.sha256) return;
    await rm(part, { force: true });
    moved.by(-file.sizeBytes);
    const shown = bucket.shown(fileAt(file.sha256));
    if (!wasContinued) throw storeDamage(shown, `holds other bytes than those of ${file.name}`);
    // Its first bytes may be those of another time: whole, they may yet be right.
    wasContinued = false;
  }
}

async function attempts(bucket: Bucket, file: ContentFile, part: string, moved: Moved): Promise<void> {
  for (let vain = 0; ; vain++) {
    const before = await sizeOf(part);
    if (before === file.sizeBytes && (await stat(part).catch(() => undefined)) !== undefined) return;
    try {
      await transfer(bucket, file, part, before > file.sizeBytes ? 0 : before, moved);
    } catch (error) {
      // A request that fails is asked again by the SDK; what breaks off amid an answer is not.
      const fault = error instanceof BenchError ? undefined : storeFault(error, bucket);
      if (!(fault instanceof BenchError) || fault.code !== 'UNAVAILABLE') throw fault ?? error;
      if ((await sizeOf(part)) > before) vain = 0;
      if (vain >= retries) throw fault;
    }
    assertGoesOn();
    if (vain > 0) await wait(Math.min(100 * 2 ** vain, longestPauseMs));
  }
}

async function transfer(
  bucket: Bucket,
  { name, sizeBytes, sha256 }: ContentFile,
  part: string,
  asked: number,
  moved: Moved,
): Promise<void> {
  const object = fileAt(sha256);
  const found = await bucket.download(object, asked);
  if (found === undefined) throw storeDamage(bucket.shown(object), `is not there: ${name} is to be that`);
  if (found.sizeBytes !== sizeBytes) {
    found.body.destroy();
    throw storeDamage(
      bucket.shown(object),
      `has ${found.sizeBytes} bytes, and ${name} is to have ${sizeBytes}`,
    );
  }
  if (found.from < asked) moved.by(found.from - asked);
  const handle = await open(part, found.from > 0 ? 'r+' : 'w').catch((error: unknown) => {
    throw fileError(error, part);
  });
  try {
    let position = found.from;
    for await (const chunk of found.body as AsyncIterable<Buffer>) {
      // The size was looked at before: more than that is no answer to what was asked.
      if (position + chunk.length > sizeBytes)
        throw storeDamage(bucket.shown(object), 'sends more than it has');
      await writeAll(handle, chunk, position).catch((error: unknown) => {
        throw fileError(error, part);
      });
      position += chunk.length;
      moved.by(chunk.length);
    }
    await handle.sync();
  } finally {
    found.body.destroy();
    await handle.close();
  }
}

async function writeAll(
  handle: Awaited<ReturnType<typeof open>>,
  bytes: Buffer,
  position: number,
): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}
