/** What a store on a server answers with, which others may have written: manifests of artifacts, and leases. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseJson } from '../../../harness/json.js';
import { withDigest } from '../../../harness/store/digest.js';
import { keyOf } from '../../../harness/store/hash.js';
import { parseStoredManifest } from '../../../harness/store/remote/layout.js';
import { parseSaid } from '../../../harness/store/remote/lease.js';
import { type Loader, UnfitResult } from '../loader.js';
import { texts } from '../valid-files.js';

const inputs = { input: 1 };
const sha256 = 'a1'.repeat(32);
const manifest = {
  ...{ inputs, facts: { count: 3 } },
  files: [
    { name: 'shard-00000.faiss', sizeBytes: 1024, sha256 },
    { name: 'below/identifiers', sizeBytes: 0, sha256 },
  ],
};
const lease = {
  ...{ holder: '0123456789abcdef', owner: '2-aaaaaaaaaaaa-77-60000', host: 'far', leaseMs: 60_000, signs: 3 },
  since: '2026-01-01T00:00:00.000Z',
};

/** An empty one where the mutator took the file away. */
const answer = (folder: string, name: string): Buffer => {
  const file = path.join(folder, name);
  return existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
};

const loaders: readonly Loader[] = [
  {
    name: 'stored-manifest',
    inputs: () => [
      texts({ manifest: JSON.stringify(withDigest(manifest)), forged: JSON.stringify(manifest) }),
    ],
    codes: ['CACHE_INVALID'],
    async load(folder) {
      const parse = (bytes: Buffer) => {
        const { files } = parseStoredManifest(
          bytes,
          { kind: 'shards', key: keyOf(inputs) },
          's3://bucket/it',
        );
        for (const { name } of files)
          if (!path.join(folder, name).startsWith(folder + path.sep))
            throw new UnfitResult(`the file ${name}`);
      };
      // Whoever may write to a store can write a digest that is right.
      let forged: unknown;
      try {
        forged = parseJson(answer(folder, 'forged').toString('utf8'));
      } catch {
        forged = undefined;
      }
      if (typeof forged === 'object' && forged !== null && !Array.isArray(forged))
        parse(Buffer.from(JSON.stringify(withDigest(forged))));
      parse(answer(folder, 'manifest'));
    },
  },
  {
    name: 'stored-lease',
    inputs: () => [texts({ lease: JSON.stringify(lease) })],
    codes: [],
    async load(folder) {
      const said = parseSaid(answer(folder, 'lease'));
      if (said !== undefined && !(said.leaseMs >= 0)) throw new UnfitResult(`a lease of ${said.leaseMs} ms`);
    },
  },
];
export default loaders;
