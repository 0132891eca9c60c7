// What every built module is (a hash of its text) and what it imports. The keys of the cache are made from it: see
// harness/program/code.ts.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Where the graph of a build lies, in its folder. */
export const graphFile = 'code.json';

// As tsc writes them, one statement a line, comments removed.
const statement = /^(?:import|export)\s+(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const later = /\b(?:import|require)\('([^']+)'\)/g;
/** A program started as another process, WebAssembly. */
const file = /\bnew URL\('([^']+)', import\.meta\.url\)/g;

/**
 * @param folder of a build
 * @returns module -> { hash, imports, packages }, paths relative to the folder, tests left out
 * @throws Error where a module imports one that is not there
 */
export function moduleGraph(folder) {
  const names = readdirSync(folder, { recursive: true })
    .map((name) => name.split(path.sep).join('/'))
    .filter((name) => /\.(js|wasm)$/.test(name) && !name.startsWith('test/'))
    .sort();
  return Object.fromEntries(names.map((name) => [name, describe(folder, name)]));
}

function describe(folder, name) {
  const { bytes, text, imports, packages } = importsOf(folder, name);
  const hash = createHash('sha256')
    .update(text === '' ? bytes : text)
    .digest('hex')
    .slice(0, 20);
  return { hash, imports, packages };
}

/** What a built module imports, with its bytes and, where it is JavaScript, its text. */
export function importsOf(folder, name) {
  const bytes = readFileSync(path.join(folder, name));
  const imports = new Set();
  const packages = new Set();
  const text = name.endsWith('.js') ? bytes.toString('utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '') : '';
  const at = (specifier) => path.posix.join(path.posix.dirname(name), specifier);
  for (const [, specifier] of [...text.matchAll(statement), ...text.matchAll(later)]) {
    if (specifier.startsWith('node:')) continue;
    if (!specifier.startsWith('.')) packages.add(packageOf(specifier));
    else if (existsSync(path.join(folder, at(specifier)))) imports.add(at(specifier));
    else throw new Error(`${name} imports ${specifier}, which was not built`);
  }
  // Others name folders, and files beside the sources.
  for (const [, specifier] of text.matchAll(file))
    if (/\.(js|wasm)$/.test(specifier) && existsSync(path.join(folder, at(specifier))))
      imports.add(at(specifier));
  return { bytes, text, imports: [...imports].sort(), packages: [...packages].sort() };
}

function packageOf(specifier) {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}
