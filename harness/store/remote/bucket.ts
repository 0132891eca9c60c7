/** A bucket of a server that speaks S3: the few things that a store asks of it. The SDK is loaded when one is opened. */
import { open, readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type * as SDK from '@aws-sdk/client-s3';
import { BenchError } from '../../errors.js';
import { interruption } from '../../interruption.js';
import { loadAdded } from '../../program/optional-package.js';
import type { StoreAddress } from './address.js';
import {
  isAbsent,
  isBrokenAnswer,
  isConflict,
  isRefusedCondition,
  type Place,
  storeFault,
} from './faults.js';

/** What is larger is sent in parts of at least so many bytes: a part that fails is sent again, and not all. */
const partBytes = 2 ** 24;
/** S3 takes 10,000. */
const mostParts = 9000;
/** Parts of one file that are on their way at once. */
const partsAtOnce = 3;
/** Tries of a request that may pass (503 SlowDown, a cut connection), with longer pauses between them. */
const maxAttempts = 6;
const connectMs = 10_000;
/** Without a byte. */
const stallMs = 60_000;

export interface Read {
  readonly bytes: Buffer;
  readonly etag: string;
  /** How long ago it was written, in milliseconds, by the server's clock alone; undefined where it does not say. */
  readonly ageMs: number | undefined;
}

const load = <T>(name: string, work: () => Promise<T>): Promise<T> =>
  loadAdded(name, 'a store on S3 needs', '@aws-sdk/client-s3 @aws-sdk/lib-storage', work);

export interface Download {
  readonly body: Readable;
  /** Where in the object the body begins. */
  readonly from: number;
  /** Of the whole object. */
  readonly sizeBytes: number;
}

export class Bucket implements Place {
  private constructor(
    readonly address: StoreAddress,
    readonly endpoint: string | undefined,
    readonly sdk: typeof SDK,
    readonly client: SDK.S3Client,
  ) {}

  /** Keys are found by the SDK's default chain, when they are first needed. @throws BenchError UNAVAILABLE */
  static async open(address: StoreAddress): Promise<Bucket> {
    // Which version is used is pinned here, and is no news to who runs a benchmark.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
    const sdk = await load('@aws-sdk/client-s3', () => import('@aws-sdk/client-s3'));
    const endpoint = endpointOf(process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL);
    const region = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
    const client = new sdk.S3Client({
      // Other servers know of no regions, and sign by any; Amazon's stands in the environment or in ~/.aws.
      ...(endpoint !== undefined && { forcePathStyle: true, region: region ?? 'us-east-1' }),
      maxAttempts,
      requestHandler: { connectionTimeout: connectMs, socketTimeout: stallMs },
      // Files have a sha256 of ours; the checks of newer SDKs are beyond many servers.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    return new Bucket(address, endpoint, sdk, client);
  }

  /** `s3://BUCKET/PREFIX` */
  get text(): string {
    return this.address.text;
  }

  /** For a request: where the object of a name lies. */
  at(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.address.bucket, Key: `${this.address.prefix}${name}` };
  }

  /** Where an object lies, for a sentence. */
  shown(name: string): string {
    return `s3://${this.address.bucket}/${this.address.prefix}${name}`;
  }

  /** Asks again where another wrote at the same moment, or the answer broke off, which the SDK does not. @param isLast whether it is asked though the job is stopped */
  async #ask<T>(work: (options: { abortSignal?: AbortSignal }) => Promise<T>, isLast = false): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work(isLast ? {} : { abortSignal: interruption });
      } catch (error) {
        if (!(isConflict(error) || isBrokenAnswer(error)) || tries >= maxAttempts)
          throw storeFault(error, this);
      }
      await wait(50 * 2 ** tries);
    }
  }

  /** Bytes of a small object; undefined where there is none. */
  async read(name: string): Promise<Read | undefined> {
    const command = new this.sdk.GetObjectCommand(this.at(name));
    let date: string | undefined;
    command.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        date = (result.response as { headers?: Record<string, string> }).headers?.date;
        return result;
      },
      { step: 'deserialize', name: 'date' },
    );
    return this.#ask(async (options) => {
      const found = await this.client.send(command, options).catch(undefinedWhereAbsent);
      if (found === undefined) return undefined;
      const bytes = Buffer.from(await found.Body!.transformToByteArray());
      const ageMs = Date.parse(date ?? '') - (found.LastModified?.getTime() ?? Number.NaN);
      return { bytes, etag: found.ETag ?? '', ageMs: Number.isNaN(ageMs) ? undefined : ageMs };
    });
  }

  /** @returns its size; undefined where it is not there */
  async sizeOf(name: string): Promise<number | undefined> {
    const command = new this.sdk.HeadObjectCommand(this.at(name));
    return this.#ask(async (options) => {
      const found = await this.client.send(command, options).catch(undefinedWhereAbsent);
      return found && (found.ContentLength ?? 0);
    });
  }

  /**
   * Writes an object where there is none. One that was written though its answer was lost counts as another's: who must know
   * reads it.
   * @returns its ETag; undefined where there is one already
   */
  create(name: string, bytes: Uint8Array): Promise<string | undefined> {
    return this.#put({ ...this.at(name), Body: bytes, IfNoneMatch: '*' });
  }

  /** Writes over an object as it was read. @returns its new ETag; undefined where it is another by now, or gone */
  replace(name: string, bytes: Uint8Array, etag: string, isLast = false): Promise<string | undefined> {
    return this.#put({ ...this.at(name), Body: bytes, IfMatch: etag }, isLast);
  }

  #put(input: SDK.PutObjectCommandInput, isLast = false): Promise<string | undefined> {
    return this.#ask(async (options) => {
      try {
        return (await this.client.send(new this.sdk.PutObjectCommand(input), options)).ETag ?? '';
      } catch (error) {
        if (isRefusedCondition(error) || isAbsent(error)) return undefined;
        throw error;
      }
    }, isLast);
  }

  /** Whether it is there or not; a job that is stopped still does it. */
  async remove(name: string): Promise<void> {
    const command = new this.sdk.DeleteObjectCommand(this.at(name));
    await this.#ask((options) => this.client.send(command, options), true);
  }

  /**
   * Sends a file where there is none of the name, a large one in parts.
   * @param sha256 hexadecimal; the server checks it where it knows how
   * @param onBytes told how many were sent since it was told before
   */
  async upload(
    name: string,
    file: string,
    { sizeBytes, sha256 }: { sizeBytes: number; sha256: string },
    onBytes: (bytes: number) => void,
  ): Promise<void> {
    if (sizeBytes <= partBytes) {
      const ChecksumSHA256 = Buffer.from(sha256, 'hex').toString('base64');
      await this.#put({ ...this.at(name), Body: await readFile(file), IfNoneMatch: '*', ChecksumSHA256 });
      onBytes(sizeBytes);
      return;
    }
    const { Upload } = await load('@aws-sdk/lib-storage', () => import('@aws-sdk/lib-storage'));
    await this.#ask(async () => {
      const handle = await open(file);
      const upload = new Upload({
        client: this.client,
        params: { ...this.at(name), Body: handle.createReadStream(), IfNoneMatch: '*' },
        partSize: Math.max(partBytes, Math.ceil(sizeBytes / mostParts)),
        queueSize: partsAtOnce,
      });
      let sentBytes = 0;
      upload.on('httpUploadProgress', ({ loaded = 0 }) => {
        onBytes(loaded - sentBytes);
        sentBytes = loaded;
      });
      const stop = () => void upload.abort();
      interruption.addEventListener('abort', stop);
      if (interruption.aborted) stop();
      try {
        await upload.done();
      } catch (error) {
        if (!isRefusedCondition(error)) throw error;
        onBytes(sizeBytes - sentBytes);
      } finally {
        interruption.removeEventListener('abort', stop);
        await handle.close();
      }
    });
  }

  /**
   * An object from a byte on.
   * @returns undefined where it is not there; `from` is 0 where the server does not know ranges
   */
  async download(name: string, from: number): Promise<Download | undefined> {
    const Range = from > 0 ? { Range: `bytes=${from}-` } : {};
    const command = new this.sdk.GetObjectCommand({ ...this.at(name), ...Range });
    return this.#ask(async (options) => {
      const found = await this.client.send(command, options).catch(undefinedWhereAbsent);
      if (found === undefined) return undefined;
      const [, first, whole] = /^bytes (\d+)-\d+\/(\d+)$/.exec(found.ContentRange ?? '') ?? [];
      const body = found.Body as Readable;
      if (whole === undefined) return { body, from: 0, sizeBytes: found.ContentLength ?? 0 };
      return { body, from: Number(first), sizeBytes: Number(whole) };
    });
  }
}

/** Without a name and a password, which may stand in it. */
function endpointOf(given: string | undefined): string | undefined {
  if (given === undefined || given === '') return undefined;
  if (URL.canParse(given)) return new URL(given).origin;
  throw new BenchError('USAGE', 'AWS_ENDPOINT_URL is no address.', {
    hint: 'Write https://HOST:PORT, or leave it out for Amazon.',
  });
}

function undefinedWhereAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}
