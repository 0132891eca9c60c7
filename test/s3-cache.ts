/** Caches with one store on a server behind them, as machines have them. For tests. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import { writeAtomic } from '../harness/store/atomic.js';
import { keyOf } from '../harness/store/hash.js';
import { type Artifact, Store } from '../harness/store/store.js';
import { S3Server } from './s3-server.js';

export class S3Caches {
  readonly server = new S3Server();
  folder = '';
  /** What this process told of, since the test began. */
  notes: string[] = [];

  /** The cache of a machine. */
  cache(name: string, anew?: 'everything' | 'damaged'): Store {
    const told = {
      note: (line: string) => void this.notes.push(line),
      stage: () => ({ update: () => undefined, end: () => undefined }),
      checkInterrupted: () => undefined,
    };
    const again = anew && { anew: { what: anew, done: new Set<string>() } };
    return new Store(path.join(this.folder, name), { told, ...again });
  }
}

/** Registers the hooks that start and stop the server around the tests of a file; every test has a store of its own. */
export function s3Caches(): S3Caches {
  const caches = new S3Caches();
  const { server } = caches;
  const given = { ...process.env };
  // Every cache has one that says at the end of the process that it is left.
  process.setMaxListeners(0);
  before(() => server.start());
  after(() => server.stop());
  beforeEach(async () => {
    caches.folder = await mkdtemp(path.join(tmpdir(), 'strata-s3-'));
    caches.notes = [];
    server.reset();
    Object.assign(process.env, server.environment(`test-${randomBytes(4).toString('hex')}`));
  });
  afterEach(async () => {
    for (const name of [...Object.keys(server.environment()), 'BENCH_STORE_TRIED']) {
      if (given[name] === undefined) delete process.env[name];
      else process.env[name] = given[name];
    }
    await rm(caches.folder, { recursive: true, force: true });
  });
  return caches;
}

export const inputs = { of: 'two files' };
export const key = keyOf(inputs);

/** An artifact of two files. @param bytes of the one @param before is called before they are written */
export function make(store: Store, bytes = 'vectors', before?: () => unknown): Promise<Artifact<object>> {
  return store.artifact('shards', inputs, async (folder) => {
    await before?.();
    await writeAtomic(path.join(folder, 'shard'), bytes);
    await writeAtomic(path.join(folder, 'below', 'ids'), 'p1\np2\n');
    return { count: 2 };
  });
}

/** The artifact is to be there: making it is a fault. */
export const take = (store: Store): Promise<Artifact<object>> =>
  make(store, '', () => assert.fail('it is made once more'));
