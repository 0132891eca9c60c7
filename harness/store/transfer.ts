/**
 * One attempt at bringing a file over HTTP into `NAME.part`. What an earlier attempt brought, killed or cut, is gone on
 * with where the server can; `NAME.part.json` remembers which version of the file those bytes belong to.
 */
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import type { Download } from '../contracts.js';
import { fileError } from '../errors.js';
import { assertGoesOn, interruption } from '../interruption.js';
import { parseJson } from '../json.js';
import { writeJson } from './atomic.js';
import { readPlainText } from './plain-file.js';
import { asTransferError, refusal, TransferError } from './transfer-error.js';

export interface TransferOptions {
  /** Sent with the request. */
  headers: Readonly<Record<string, string>>;
  /** Gives up after so long without a byte. */
  stallMs: number;
  onProgress(doneBytes: number, totalBytes: number): void;
}

interface Origin {
  url: string;
  /** A strong ETag or a date, for If-Range. */
  validator?: string;
}

/** Bytes of a file; 0 where there is none. */
export async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

/** Removes the bytes and what is remembered of them. */
export async function discardPart(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}

async function readOrigin(part: string): Promise<Partial<Origin>> {
  try {
    const { url, validator } = parseJson(await readPlainText(`${part}.json`)) as Partial<Origin>;
    // It is sent as a header, which takes no other characters.
    const isSendable =
      validator === undefined || (typeof validator === 'string' && /^[ -~]+$/.test(validator));
    if (typeof url !== 'string' || !isSendable) return {};
    return { url, ...(validator !== undefined && { validator }) };
  } catch {
    // Absent, or damaged by a crash: then nothing is known, and the hash at the end decides.
    return {};
  }
}

function validatorOf(response: Response): string | undefined {
  const etag = response.headers.get('etag');
  return etag?.startsWith('"') ? etag : (response.headers.get('last-modified') ?? undefined);
}

/**
 * Brings the bytes that are still missing.
 * @returns whether bytes of an earlier attempt are part of the file
 * @throws TransferError where the network or the server fails; BenchError DISK_FULL or NOT_WRITABLE
 */
export async function transfer(
  described: Download,
  part: string,
  options: TransferOptions,
): Promise<boolean> {
  const download =
    described.sizeBytes > 0 ? described : { ...described, sizeBytes: await sizeThere(described, options) };
  const { url, sizeBytes } = download;
  const origin = await readOrigin(part);
  let from = await sizeOf(part);
  if (from > sizeBytes || (origin.url !== undefined && origin.url !== url)) from = 0;
  options.onProgress(from, sizeBytes);
  if (from === sizeBytes && from > 0) return true;

  const controller = new AbortController();
  const stalled = new TransferError(`no byte came for ${options.stallMs / 1000} seconds`, true);
  const timer = setTimeout(() => controller.abort(stalled), options.stallMs);
  const stop = () => controller.abort();
  interruption.addEventListener('abort', stop);
  try {
    assertGoesOn();
    // Bytes as they lie there: a compressed answer could be neither measured nor gone on with.
    const headers: Record<string, string> = { ...options.headers, 'accept-encoding': 'identity' };
    if (from > 0) {
      headers.range = `bytes=${from}-`;
      if (origin.validator !== undefined) headers['if-range'] = origin.validator;
    }
    const response = await fetch(url, { headers, signal: controller.signal });
    from = await acceptedFrom(response, from, download, part);
    if (from === 0) {
      const validator = validatorOf(response);
      await writeJson(`${part}.json`, { url, ...(validator === undefined ? {} : { validator }) });
    }
    await receive(response, from, download, part, () => timer.refresh(), options);
  } catch (error) {
    assertGoesOn();
    throw controller.signal.aborted ? stalled : asTransferError(error);
  } finally {
    clearTimeout(timer);
    interruption.removeEventListener('abort', stop);
    controller.abort();
  }
  return from > 0;
}

/** The size that the server states, where the publisher's description states none. */
async function sizeThere({ url }: Download, { headers, stallMs }: TransferOptions): Promise<number> {
  let response: Response;
  try {
    const signal = AbortSignal.any([AbortSignal.timeout(stallMs), interruption]);
    response = await fetch(url, {
      method: 'HEAD',
      headers: { ...headers, 'accept-encoding': 'identity' },
      signal,
    });
  } catch (error) {
    assertGoesOn();
    throw asTransferError(error);
  }
  if (!response.ok) throw refusal(response);
  const length = Number(response.headers.get('content-length'));
  if (length > 0 && !isEncoded(response.headers)) return length;
  throw new TransferError('the server does not say how large the file is', false);
}

/** Where the answer's first byte belongs: `from` where the server goes on from there, 0 where it sends all. */
async function acceptedFrom(
  response: Response,
  from: number,
  download: Download,
  part: string,
): Promise<number> {
  const { status, headers } = response;
  if (status === 206 && from > 0) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
    if (range?.[2] !== undefined && range[2] !== '*') refuseSize(Number(range[2]), download);
    if (Number(range?.[1]) === from && !isEncoded(headers)) return from;
  } else if (status === 200) {
    const length = headers.get('content-length');
    if (length !== null && !isEncoded(headers)) refuseSize(Number(length), download);
    return 0;
  }
  if (from > 0 && (status === 206 || status === 416)) {
    await discardPart(part);
    throw new TransferError(`the server cannot go on from byte ${from} (status ${status})`, true);
  }
  throw refusal(response);
}

function isEncoded(headers: Headers): boolean {
  return (headers.get('content-encoding') ?? 'identity') !== 'identity';
}

function refuseSize(sizeBytes: number, download: Download): void {
  if (sizeBytes === download.sizeBytes) return;
  const message = `the server offers ${sizeBytes} bytes and ${download.sizeBytes} were expected: the file has been changed there`;
  throw new TransferError(message, false);
}

async function receive(
  response: Response,
  from: number,
  { sizeBytes }: Download,
  part: string,
  alive: () => void,
  options: TransferOptions,
): Promise<void> {
  const handle = await diskErrors(part, open(part, from > 0 ? 'r+' : 'w'));
  let position = from;
  try {
    for await (const chunk of response.body ?? []) {
      if (position + chunk.byteLength > sizeBytes) {
        throw new TransferError(`more came than the ${sizeBytes} bytes expected`, false);
      }
      await diskErrors(part, append(handle, chunk, position));
      position += chunk.byteLength;
      alive();
      options.onProgress(position, sizeBytes);
    }
    await diskErrors(part, handle.sync());
  } finally {
    await handle.close();
  }
  if (position < sizeBytes) {
    throw new TransferError(`it ended after ${position} of ${sizeBytes} bytes`, true);
  }
}

async function append(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += (await handle.write(bytes, done, bytes.byteLength - done, position + done)).bytesWritten;
  }
}

async function diskErrors<T>(file: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw fileError(error, file);
  }
}
