// npm runs this before and after it packs (prepack, postpack). package.json of the package differs from that of a checkout:
// * it offers the command `bench` beside `strata-bench` (why a checkout declares one alone: scripts/prepare.mjs);
// * it has no script `prepare`, which npm would ask everybody to allow.
// The package also holds npm-shrinkwrap.json: the lock file less what only a checkout needs. With it everybody gets the versions that
// were tested; and npm 10 and 11, which run the scripts that a lock file marks, leave out that of onnxruntime-node, which is not marked
// (`npm test -- package`): it would fetch 300 MB from another host, and fail the install where that cannot be reached.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const file = path.join(root, 'package.json');
/** The checkout's own, while npm packs; it is also put back where an earlier packing was killed. */
const kept = path.join(root, 'node_modules', '.package.json.kept');
const shrinkwrap = path.join(root, 'npm-shrinkwrap.json');

function write(target, text) {
  writeFileSync(`${target}.new`, text);
  renameSync(`${target}.new`, target);
}

const [step] = process.argv.slice(2);
if (step !== 'before' && step !== 'after') throw new Error(`packing: 'before' or 'after', not '${step}'`);

/** @param manifest of the package */
function locked({ bin }) {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  const { devDependencies: _, ...own } = lock.packages[''];
  const needed = Object.entries(lock.packages).filter(([name, { dev }]) => name !== '' && dev !== true);
  return { ...lock, packages: { '': { ...own, bin }, ...Object.fromEntries(needed) } };
}

if (existsSync(kept)) renameSync(kept, file);
rmSync(shrinkwrap, { force: true });
if (step === 'before') {
  const text = readFileSync(file, 'utf8');
  write(kept, text);
  const manifest = JSON.parse(text);
  manifest.bin.bench = manifest.bin['strata-bench'];
  delete manifest.scripts.prepare;
  write(file, `${JSON.stringify(manifest, null, 2)}\n`);
  write(shrinkwrap, `${JSON.stringify(locked(manifest), null, 2)}\n`);
}
