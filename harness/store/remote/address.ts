/**
 * Which store on a server lies behind the cache: `s3://BUCKET/PREFIX`. One for all of a process, and for the processes that it
 * starts: what is made deep below what knows the command line goes there too.
 */
import { BenchError } from '../../errors.js';

/** Holds the address; `--store` sets it. */
export const storeVariable = 'BENCH_STORE';

export interface StoreAddress {
  readonly bucket: string;
  /** What every name in the bucket begins with: empty, or `sweeps/`. */
  readonly prefix: string;
  /** As it was given: `s3://BUCKET/PREFIX`. */
  readonly text: string;
}

/** From now on, for this process and those that it starts. @throws BenchError USAGE for what is no address */
export function useStore(text: string): void {
  parseStoreAddress(text);
  process.env[storeVariable] = text;
}

/** @returns undefined where the cache stands by itself @throws BenchError USAGE */
export function storeInUse(): StoreAddress | undefined {
  const text = process.env[storeVariable];
  return text === undefined || text === '' ? undefined : parseStoreAddress(text);
}

/** Names that every server takes; S3 itself takes no others for new buckets. */
const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** @throws BenchError USAGE, in which a name or a password that stands in the text is not repeated */
export function parseStoreAddress(text: string): StoreAddress {
  const refuse = (what: string) =>
    new BenchError('USAGE', `--store (or ${storeVariable}) ${what}.`, {
      hint: 'Write s3://BUCKET or s3://BUCKET/PREFIX; AWS_ENDPOINT_URL names another server than Amazon. A folder that machines share is given with --cache.',
    });
  if (text.includes('@') || text.includes('?') || text.includes('#')) {
    throw refuse(
      'holds @, ? or #: a name and a password are no part of it, and come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from ~/.aws',
    );
  }
  const [, bucket, path = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(text) ?? [];
  if (bucket === undefined) throw refuse(`is '${text}', which is no address of a bucket`);
  if (!bucketName.test(bucket)) throw refuse(`names '${bucket}', which cannot be the name of a bucket`);
  const parts = path.split('/').filter((part) => part !== '');
  const wrong = parts.find((part) => !/^[\w.!'()*+=,:~ -]+$/.test(part) || /^\.{1,2}$/.test(part));
  if (wrong !== undefined)
    throw refuse(`has '${wrong}' in its prefix, which may hold letters, digits and -_.`);
  const prefix = parts.map((part) => `${part}/`).join('');
  return { bucket, prefix, text: `s3://${bucket}/${prefix}`.replace(/\/$/, '') };
}
