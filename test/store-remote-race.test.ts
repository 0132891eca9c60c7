/** Three processes that have nothing in common but a store on a server, at the same forty artifacts. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { CreateBucketCommand, S3Client, type S3ServiceException } from '@aws-sdk/client-s3';
import type { ContentFile } from '../harness/store/content.js';
import { keyOf } from '../harness/store/hash.js';
import { S3Server } from './s3-server.js';

const server = new S3Server();
let root: string;
before(async () => {
  await server.start();
  root = await mkdtemp(path.join(tmpdir(), 'strata-race-'));
});
after(async () => {
  server.stop();
  await rm(root, { recursive: true, force: true });
});

interface Seen {
  key: string;
  isMade: boolean;
  digest: string;
  files: ContentFile[];
}

const built = (name: string) =>
  JSON.stringify(pathToFileURL(path.join(import.meta.dirname, '../harness/store', name)).href);

/** Makes or fetches all of them, each process in an order of its own; says what it then has. */
const script = `
  import { readFile } from 'node:fs/promises';
  import { Store } from ${built('store.js')};
  import { writeAtomic } from ${built('atomic.js')};
  const [root, first, count] = process.argv.slice(1);
  const store = new Store(root);
  const seen = [];
  for (let i = 0; i < Number(count); i++) {
    const of = (i + Number(first)) % Number(count);
    const { key, folder, cached } = await store.artifact('shards', { of }, async (folder) => {
      await writeAtomic(folder + '/shard', ('vectors of ' + of + ' ').repeat(1000));
      await writeAtomic(folder + '/ids', 'ids of ' + of);
      return { by: process.pid };
    });
    const { digest, files } = JSON.parse(await readFile(folder + '/manifest.json', 'utf8'));
    seen.push({ key, isMade: !cached, digest, files });
  }
  console.log(JSON.stringify(seen));`;

function racer(
  name: string,
  first: number,
  count: number,
  environment: Record<string, string>,
): Promise<Seen[]> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', script, path.join(root, name), String(first), String(count)],
    // Nobody is taken for dead, however slow this machine is.
    {
      env: { ...process.env, ...environment, BENCH_LEASE_SECONDS: '3600' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('close', (code) =>
      code === 0 ? resolve(JSON.parse(stdout) as Seen[]) : reject(new Error(`exit code ${code}: ${stderr}`)),
    );
  });
}

/** Everybody has the same manifest of each, with the bytes that it is to have. @returns how often each was made */
async function race(name: string, environment: Record<string, string>, count = 40): Promise<number[]> {
  // Two are abreast, which is the closest race; the third comes from elsewhere, so that all wait for each other.
  const starts = [0, 0, Math.floor(count / 2)];
  const racers = starts.map((first, i) => racer(`${name}-${i}`, first, count, environment));
  const seen = await Promise.all(racers);
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  return Array.from({ length: count }, (_, of) => {
    const all = seen.map((own) => own.find(({ key }) => key === keyOf({ of }))!);
    assert.equal(new Set(all.map(({ digest }) => digest)).size, 1, `one winner of ${of}`);
    const expected = { shard: `vectors of ${of} `.repeat(1000), ids: `ids of ${of}` };
    for (const { files } of all)
      assert.deepEqual(
        Object.fromEntries(files.map((file) => [file.name, file.sha256])),
        Object.fromEntries(Object.entries(expected).map(([file, text]) => [file, sha256(text)])),
      );
    return all.filter(({ isMade }) => isMade).length;
  });
}

const once = Array.from({ length: 40 }, () => 1);

test('each is made once, and shared by all, equal to the byte', async () => {
  assert.deepEqual(await race('leased', server.environment('leased')), once);
  assert.equal(server.keys('manifest.json').length, once.length);
  assert.deepEqual(server.keys('/leases/'), []);
});

test('without leases some are made more than once, and one wins all the same', async () => {
  server.reset();
  // Everybody believes to be alone.
  server.forgets = /\/leases\//;
  const made = await race('unleased', server.environment('unleased'), 10);
  assert.ok(made.every((times) => times >= 1));
  assert.equal(server.keys('manifest.json').length, made.length);
});

const url = process.env.STRATA_TEST_S3;
const missing =
  url === undefined && 'STRATA_TEST_S3 names no server to try, such as http://127.0.0.1:5000 of moto_server';

test('each is made once on a server of somebody else, too', { skip: missing }, async () => {
  const environment: Record<string, string> = {
    ...server.environment(`race-${Date.now()}`),
    AWS_ENDPOINT_URL: url!,
  };
  const credentials = {
    accessKeyId: environment.AWS_ACCESS_KEY_ID!,
    secretAccessKey: environment.AWS_SECRET_ACCESS_KEY!,
  };
  const client = new S3Client({ endpoint: url!, region: 'us-east-1', forcePathStyle: true, credentials });
  // It may be there.
  await client.send(new CreateBucketCommand({ Bucket: 'bench' })).catch((error: S3ServiceException) => {
    if (error.$metadata.httpStatusCode !== 409) throw error;
  });
  assert.deepEqual(await race('elsewhere', environment), once);
});
