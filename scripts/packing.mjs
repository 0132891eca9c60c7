// npm runs this before and after it packs (prepack, postpack). package.json of the package differs from that of a checkout:
// * it offers the command `bench` beside `strata-bench` (why a checkout declares one alone: scripts/prepare.mjs);
// * it has no script `prepare`, which npm would ask everybody to allow.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const file = path.join(root, 'package.json');
/** The checkout's own, while npm packs; it is also put back where an earlier packing was killed. */
const kept = path.join(root, 'node_modules', '.package.json.kept');

function write(target, text) {
  writeFileSync(`${target}.new`, text);
  renameSync(`${target}.new`, target);
}

const [step] = process.argv.slice(2);
if (step !== 'before' && step !== 'after') throw new Error(`packing: 'before' or 'after', not '${step}'`);

if (existsSync(kept)) renameSync(kept, file);
if (step === 'before') {
  const text = readFileSync(file, 'utf8');
  write(kept, text);
  const manifest = JSON.parse(text);
  manifest.bin.bench = manifest.bin['strata-bench'];
  delete manifest.scripts.prepare;
  write(file, `${JSON.stringify(manifest, null, 2)}\n`);
}
