/** A server on loopback that speaks as much S3 as a store needs, and as badly as it is told to. For tests. */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

const md5 = (...bytes: Buffer[]) => createHash('md5').update(Buffer.concat(bytes));

interface Stored {
  bytes: Buffer;
  etag: string;
  modified: Date;
}

/** What happens to a request: it is answered, or refused with a status and a code, or its connection is cut. */
export type Mishap =
  | { status: number; code: string; inside?: string }
  /** Before it is done. */
  | 'cut'
  /** It is done, and nobody hears of it. */
  | 'unheard'
  /** So many bytes of the answer come, and it is cut once they have arrived. */
  | { cutAt: number; arrived(): Promise<unknown> };

export class S3Server {
  /** By their keys, of the only bucket, `bench`. */
  readonly objects = new Map<string, Stored>();
  readonly uploads = new Map<string, Map<number, Buffer>>();
  /** `PUT files/...`; keys without the prefix of the store are not told apart. */
  readonly asked: string[] = [];
  /** First bytes of the ranges that were asked for. */
  readonly ranges: number[] = [];
  /** Whether conditions of single puts, and of uploads in parts, are ignored. */
  ignores: 'nothing' | 'conditions' | 'conditions of parts' = 'nothing';
  /** Keys of which every put succeeds and nothing stays. */
  forgets = /^$/;
  mishap: (asked: string) => Mishap | undefined = () => undefined;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  url = '';

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Empty, and well again. */
  reset(): void {
    this.objects.clear();
    this.uploads.clear();
    this.asked.length = 0;
    this.ranges.length = 0;
    this.ignores = 'nothing';
    this.mishap = () => undefined;
    this.forgets = /^$/;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** What a process has to know of it; its store begins at `s3://bench/`. */
  environment(prefix = 'some/where'): Record<string, string> {
    return {
      BENCH_STORE: `s3://bench/${prefix}`,
      AWS_ENDPOINT_URL: this.url,
      AWS_ACCESS_KEY_ID: 'somebody',
      AWS_SECRET_ACCESS_KEY: 'open sesame',
      AWS_REGION: 'us-east-1',
      // Nothing of this machine's own.
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  keys(part = ''): string[] {
    return [...this.objects.keys()].filter((key) => key.includes(part)).sort();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.url);
    const [, bucket, key = ''] = /^\/([^/]*)\/?(.*)$/.exec(decodeURIComponent(url.pathname)) ?? [];
    const asked = `${request.method} ${key}${url.searchParams.has('uploads') ? '?uploads' : url.searchParams.has('uploadId') ? '?uploadId' : ''}`;
    const body = await buffer(request).catch(() => undefined);
    if (body === undefined) return;
    this.asked.push(asked);
    const mishap = this.mishap(asked);
    if (mishap === 'cut') request.socket.destroy();
    else if (typeof mishap === 'object' && 'status' in mishap)
      send(response, refusal(mishap.status, mishap.code, mishap.inside));
    else
      send(
        response,
        this.#refused(request, bucket) ?? this.#answer(request, url.searchParams, key, body),
        mishap,
      );
  }

  #refused({ headers }: IncomingMessage, bucket: string | undefined): Reply | undefined {
    if (!/Credential=somebody\//.test(headers.authorization ?? ''))
      return refusal(403, 'InvalidAccessKeyId', '<AWSAccessKeyId>the key</AWSAccessKeyId>');
    if (/^STREAMING-/.test(String(headers['x-amz-content-sha256']))) return refusal(501, 'NotImplemented');
    return bucket === 'bench' ? undefined : refusal(404, 'NoSuchBucket');
  }

  #answer({ method, headers }: IncomingMessage, query: URLSearchParams, key: string, body: Buffer): Reply {
    const found = this.objects.get(key);
    const uploadId = query.get('uploadId');
    if (query.has('uploads')) {
      const id = randomUUID();
      this.uploads.set(id, new Map());
      return xml('InitiateMultipartUploadResult', `<UploadId>${id}</UploadId>`);
    }
    if (uploadId !== null) {
      const parts = this.uploads.get(uploadId);
      if (parts === undefined) return refusal(404, 'NoSuchUpload');
      if (method === 'PUT') {
        parts.set(Number(query.get('partNumber')), body);
        return { status: 200, headers: { etag: `"${md5(body).digest('hex')}"` } };
      }
      this.uploads.delete(uploadId);
      if (method === 'DELETE') return { status: 204 };
      if (this.ignores === 'nothing' && !holds(headers, found)) {
        this.uploads.set(uploadId, parts);
        return refusal(412, 'PreconditionFailed');
      }
      const numbers = [...body.toString().matchAll(/<PartNumber>(\d+)</g)].map(([, number]) =>
        Number(number),
      );
      const bytes = numbers.map((number) => parts.get(number)!);
      const etag = `"${md5(...bytes.map((part) => md5(part).digest())).digest('hex')}-${numbers.length}"`;
      this.objects.set(key, { bytes: Buffer.concat(bytes), etag, modified: new Date() });
      return xml('CompleteMultipartUploadResult', `<ETag>${etag}</ETag>`);
    }
    if (method === 'PUT') {
      if (this.ignores !== 'conditions' && !holds(headers, found))
        return found === undefined ? refusal(404, 'NoSuchKey') : refusal(412, 'PreconditionFailed');
      const sum = headers['x-amz-checksum-sha256'];
      if (sum !== undefined && sum !== createHash('sha256').update(body).digest('base64'))
        return refusal(400, 'BadDigest');
      const etag = `"${md5(body).digest('hex')}"`;
      if (!this.forgets.test(key)) this.objects.set(key, { bytes: body, etag, modified: new Date() });
      return { status: 200, headers: { etag } };
    }
    if (method === 'DELETE') {
      this.objects.delete(key);
      return { status: 204 };
    }
    if (found === undefined) return refusal(404, 'NoSuchKey');
    const told = { etag: found.etag, 'last-modified': found.modified.toUTCString() };
    const { length } = found.bytes;
    if (method === 'HEAD') return { status: 200, headers: { ...told, 'content-length': String(length) } };
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    if (headers.range !== undefined) this.ranges.push(from);
    if (from >= length && from > 0) return refusal(416, 'InvalidRange');
    const range = headers.range && { 'content-range': `bytes ${from}-${length - 1}/${length}` };
    return { status: range ? 206 : 200, headers: { ...told, ...range }, body: found.bytes.subarray(from) };
  }
}

/** Whether the conditions of a put hold. */
function holds(headers: IncomingMessage['headers'], found: Stored | undefined): boolean {
  if (headers['if-none-match'] === '*' && found !== undefined) return false;
  return headers['if-match'] === undefined || headers['if-match'] === found?.etag;
}

interface Reply {
  status: number;
  headers?: Record<string, string> | undefined;
  body?: Buffer;
}

function xml(name: string, inside: string, status = 200): Reply {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<${name}>${inside}</${name}>`;
  return { status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(text) };
}

const refusal = (status: number, code: string, inside = ''): Reply =>
  xml('Error', `<Code>${code}</Code><Message>of the key: open sesame</Message>${inside}`, status);

function send(response: ServerResponse, { status, headers = {}, body }: Reply, mishap?: Mishap): void {
  const { socket } = response;
  if (mishap === 'unheard') {
    socket?.destroy();
    return;
  }
  if (body !== undefined) response.setHeader('content-length', body.length);
  response.writeHead(status, headers);
  const isCut = typeof mishap === 'object' && 'cutAt' in mishap;
  if (body === undefined || !isCut) response.end(body);
  else
    response.write(body.subarray(0, mishap.cutAt), () => void mishap.arrived().then(() => socket?.destroy()));
}
