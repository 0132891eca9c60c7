/**
 * Whether a server does what a store stands on: the first of two that put an object wins, whole or in parts, and a lease is
 * taken over by one. A server that ignores conditions lets everybody win, and says nothing.
 */
import { BenchError } from '../../errors.js';
import { randomPart } from '../owner.js';
import type { Bucket } from './bucket.js';
import { isRefusedCondition, shownPlace, storeFault, withoutConditions } from './faults.js';

const [first, second] = [Buffer.from('first'), Buffer.from('second')];

/** Tries it with a small object, and leaves none. @throws BenchError UNAVAILABLE */
export async function probe(bucket: Bucket): Promise<void> {
  const name = `probe-${randomPart()}${randomPart()}`;
  try {
    await conditions(bucket, name);
  } catch (error) {
    throw storeFault(error, bucket);
  } finally {
    // What it failed with is what is said.
    await bucket.remove(name).catch(() => undefined);
  }
}

async function conditions(bucket: Bucket, name: string): Promise<void> {
  await bucket.create(name, first);
  const holds = async (bytes: Buffer) => (await bucket.read(name))?.bytes.equals(bytes) === true;
  if ((await bucket.create(name, second)) !== undefined || !(await holds(first)))
    throw withoutConditions(bucket, 'a put with If-None-Match: it replaced what was there');
  if ((await bucket.replace(name, second, '"0123456789abcdef0123456789abcdef"')) !== undefined)
    throw withoutConditions(bucket, 'a put with If-Match: it replaced what was another object');
  const { etag, ageMs } = (await bucket.read(name))!;
  if (ageMs === undefined)
    throw new BenchError(
      'UNAVAILABLE',
      `The server of ${shownPlace(bucket)} says no time (Date, Last-Modified).`,
      { hint: 'Leases go by its clock. Is a proxy between that leaves headers out?' },
    );
  if ((await bucket.replace(name, second, etag)) === undefined || !(await holds(second)))
    throw withoutConditions(bucket, 'a put with If-Match: it refused what was the same object');
  if (!(await isMultipartRefused(bucket, name)) || !(await holds(second)))
    throw withoutConditions(bucket, 'an upload in parts with If-None-Match: it replaced what was there');
}

async function isMultipartRefused(bucket: Bucket, name: string): Promise<boolean> {
  const { sdk, client } = bucket;
  const at = bucket.at(name);
  const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(at));
  try {
    const part = { ...at, UploadId, PartNumber: 1, Body: first };
    const { ETag } = await client.send(new sdk.UploadPartCommand(part));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await client.send(
      new sdk.CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload, IfNoneMatch: '*' }),
    );
    return false;
  } catch (error) {
    if (isRefusedCondition(error)) return true;
    throw error;
  } finally {
    // Where it was completed there is none any more.
    await client.send(new sdk.AbortMultipartUploadCommand({ ...at, UploadId })).catch(() => undefined);
  }
}
