/** A hub on this machine, with what of the real one's interface is used, and an empty cache of Hugging Face's tools. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';

export const hash = (algorithm: string, bytes: Uint8Array) =>
  createHash(algorithm).update(bytes).digest('hex');
export const gitHash = (bytes: Buffer) =>
  hash('sha1', Buffer.concat([Buffer.from(`blob ${bytes.byteLength}\0`), bytes]));

export interface MadeRepository {
  kind: 'models' | 'datasets';
  /** `tests/tiny-bert`; its last part alone finds it too. */
  name: string;
  revision: string;
  /** Other names of the revision: branches and tags. */
  references?: readonly string[];
  files: Map<string, Buffer>;
}

const isLarge = (name: string) => /\.(safetensors|parquet)$/.test(name);

export class LoopbackHub {
  url = '';
  /** Where our own downloads lie. */
  cacheFolder = '';
  /** HF_HUB_CACHE of the environment. */
  sharedCache = '';
  repositories: MadeRepository[] = [];
  /** Path and range of each. */
  requests: string[] = [];
  /** Bytes after which an answer that carries a large file is cut. */
  cutAfter = Number.POSITIVE_INFINITY;
  /** Answers given in place of files. */
  forged = new Map<string, Buffer>();
  needsToken = false;
  /** Answers given before any other, to requests whose path it fits. */
  refusals: { path: RegExp; status: number; headers?: Record<string, string> }[] = [];

  answer(request: IncomingMessage, response: ServerResponse): unknown {
    const url = new URL(request.url!, this.url);
    this.requests.push(`${url.pathname} ${request.headers.range ?? ''}`.trim());
    const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(body));
    const refused = this.refusals.findIndex(({ path: wanted }) => wanted.test(url.pathname));
    if (refused >= 0) {
      const [{ status, headers }] = this.refusals.splice(refused, 1) as [LoopbackHub['refusals'][number]];
      return json(status, { error: 'refused' }, headers);
    }
    if (this.needsToken && request.headers.authorization !== 'Bearer hf_secret')
      return json(401, { error: 'no token' });
    const info = /^\/api\/(\w+)\/(.+)\/revision\/([^/]+)$/.exec(url.pathname);
    if (info !== null) {
      const asked = decodeURIComponent(info[3]!);
      const found = this.repositories.find(
        ({ kind, name, revision, references = [] }) =>
          kind === info[1] &&
          (name === info[2] || name.endsWith(`/${info[2]}`)) &&
          ['HEAD', revision, ...references].includes(asked),
      );
      if (found === undefined) return json(404, { error: 'Repository not found' });
      const { name: id, revision: sha } = found;
      return json(200, { _id: '1', id, sha, lastModified: '2024-01-01' });
    }
    for (const { kind, name, revision, files } of this.repositories) {
      if (url.pathname === `/api/${kind}/${name}/tree/${revision}`) return json(200, listing(files));
      const at = `/${kind === 'models' ? '' : 'datasets/'}${name}/resolve/${revision}/`;
      if (!url.pathname.startsWith(at)) continue;
      const file = decodeURIComponent(url.pathname.slice(at.length));
      const bytes = this.forged.get(file) ?? files.get(file);
      if (bytes !== undefined) return this.#send(file, bytes, request, response);
    }
    return json(404, { error: 'Repository not found' });
  }

  #send(name: string, bytes: Buffer, request: IncomingMessage, response: ServerResponse): void {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const from = Number(range?.[1] ?? 0);
    const end = range?.[2] ? Number(range[2]) + 1 : bytes.byteLength;
    response.writeHead(range === null ? 200 : 206, {
      etag: `"${hash('md5', bytes)}"`,
      'content-length': end - from,
      ...(range === null ? {} : { 'content-range': `bytes ${from}-${end - 1}/${bytes.byteLength}` }),
    });
    if (isLarge(name) && end - from > this.cutAfter) {
      response.write(bytes.subarray(from, from + this.cutAfter), () =>
        setTimeout(() => response.destroy(), 100),
      );
    } else response.end(bytes.subarray(from, end));
  }

  /**
   * Lays files of a repository into the cache of Hugging Face's tools, as these do: links to blobs.
   * @param wanted of its files
   */
  async share(
    { kind, name, revision, files }: MadeRepository,
    wanted = [...files.keys()],
    reference = 'main',
  ) {
    const home = path.join(this.sharedCache, `${kind}--${name.replace('/', '--')}`);
    await mkdir(path.join(home, 'blobs'), { recursive: true });
    for (const file of wanted) {
      const bytes = files.get(file)!;
      const blob = path.join(home, 'blobs', isLarge(file) ? hash('sha256', bytes) : gitHash(bytes));
      const link = path.join(home, 'snapshots', revision, file);
      await mkdir(path.dirname(link), { recursive: true });
      await writeFile(blob, bytes);
      await symlink(path.relative(path.dirname(link), blob), link);
    }
    await mkdir(path.dirname(path.join(home, 'refs', reference)), { recursive: true });
    await writeFile(path.join(home, 'refs', reference), revision);
    return path.join(home, 'snapshots', revision);
  }
}

const listing = (files: ReadonlyMap<string, Buffer>) => [
  ...[...files].map(([name, bytes]) => ({
    type: 'file',
    path: name,
    size: bytes.byteLength,
    oid: gitHash(bytes),
    ...(isLarge(name) && { lfs: { oid: hash('sha256', bytes), size: bytes.byteLength } }),
  })),
  { type: 'directory', path: 'onnx', size: 0, oid: '0' },
];

const variables = ['HF_TOKEN', 'HF_HOME', 'HF_HUB_CACHE', 'HF_ENDPOINT', 'HF_HUB_OFFLINE'] as const;

/** Registers the hooks that start and stop the hub around the tests of a file; each test begins with empty caches. */
export function loopbackHub(): LoopbackHub {
  const hub = new LoopbackHub();
  const server = createServer((request, response) => hub.answer(request, response));
  const kept = variables.map((name) => [name, process.env[name]] as const);
  const shared = mkdtempSync(path.join(tmpdir(), 'strata-hub-'));
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    hub.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    rmSync(shared, { recursive: true, force: true });
    for (const [name, value] of kept) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  beforeEach(async () => {
    hub.cacheFolder = await mkdtemp(path.join(shared, 'own-'));
    hub.sharedCache = await mkdtemp(path.join(shared, 'shared-'));
    Object.assign(hub, {
      repositories: [],
      requests: [],
      refusals: [],
      forged: new Map(),
      needsToken: false,
    });
    hub.cutAfter = Number.POSITIVE_INFINITY;
    for (const name of variables) delete process.env[name];
    process.env.HF_HUB_CACHE = hub.sharedCache;
  });
  afterEach(async () => {
    await rm(hub.cacheFolder, { recursive: true, force: true });
    await rm(hub.sharedCache, { recursive: true, force: true });
  });
  return hub;
}
