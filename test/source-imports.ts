/** What the sources import, read from their text. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './places.js';

export interface Import {
  specifier: string;
  kind: 'static' | 'type' | 'dynamic';
}

/** What a source file imports. Comments are taken out first; names that are not literals come as ''. */
export function importsOf(source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  const statement = /^\s*(?:import|export)\s+(type\b)?(?:[\w*\s{},$]*?\sfrom\s*)?(['"])([^'"]+)\2/gm;
  for (const [, type, , specifier] of code.matchAll(statement)) {
    found.push({ specifier: specifier!, kind: type === undefined ? 'static' : 'type' });
  }
  for (const [, , literal, specifier] of code.matchAll(/\b(import|require)\(\s*(['"])?([^'")]*)/g)) {
    found.push({ specifier: literal === undefined ? '' : specifier!, kind: 'dynamic' });
  }
  return found;
}

export function sourceFiles(folder: string): string[] {
  const absolute = path.join(root, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

export function roomOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  return top === 'harness' ? second.replace(/\.ts$/, '') : top;
}

export function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
}

/** Every file that belongs to a room. */
export const files = ['harness', 'architectures', 'datasets', 'reports'].flatMap(sourceFiles);

/** The files of ours that a file imports. @param isWanted of their imports; all where absent */
export function neighboursOf(file: string, isWanted: (each: Import) => boolean = () => true): string[] {
  return importsOf(readFileSync(path.join(root, file), 'utf8')).flatMap(({ specifier, ...rest }) =>
    specifier.startsWith('.') && isWanted({ specifier, ...rest })
      ? [path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts')]
      : [],
  );
}
