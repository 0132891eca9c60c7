/** An artifact whose files a test has changed, with a manifest that says so: as its store would have left it. */
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withDigest } from '../harness/store/digest.js';
import { hashFile } from '../harness/store/hash.js';
import { type Manifest, readManifest } from '../harness/store/manifest.js';

/** @param change gives members of the manifest that are to be others */
export async function rewriteManifest(
  folder: string,
  change: (manifest: Omit<Manifest, 'digest'>) => object = () => ({}),
): Promise<void> {
  const { digest: _, ...manifest } = (await readManifest(folder))!;
  const files = await Promise.all(
    manifest.files.map(async ({ name }) => {
      const file = path.join(folder, name);
      return { name, sizeBytes: (await stat(file)).size, sha256: await hashFile(file) };
    }),
  );
  const made = withDigest({ ...manifest, files, ...change(manifest) });
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(made));
}
