/**
 * Which code a result came of. The build leaves the hash of every module and what it imports; the code of a result is that
 * of all modules that can be reached from those that compute it, with the versions of the libraries that they import.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { buildFolder } from './place.js';

/** A part of a key of the cache. */
export interface Code {
  /** 20 hexadecimal digits of a sha256 over the modules. */
  readonly modules: string;
  /** Versions by name; `unicode` is that of Node, which decides what a letter is. */
  readonly libraries: Readonly<Record<string, string>>;
}

/** By path in the build: `harness/train/loss.js`. */
export type ModuleGraph = Readonly<
  Record<string, { hash: string; imports: readonly string[]; packages: readonly string[] }>
>;

/**
 * Rooms whose code decides no number, though all import them: what is said, where things are put, what a record holds.
 * What settings, a configuration and its presets come to stands in the keys by itself, and a plug-in is named by who uses it.
 */
const silent =
  /^harness\/((closing|counted|errors|interruption|json-schema|printable|progress|contracts|presets|plugins|plugin-files|comparison|record|config|store|latency|program|cli)(\.js$|\/)|stages\/(code|given|graph|known|settings|systems|training|workbench)\.js$)/;

/** Each is one of several that a stage can work with: the stage names the one that it does. */
const chosen = new Set([
  'harness/tensor/onnx/engine.js',
  'harness/tensor/tensorflow.js',
  'harness/tensor/eager.js',
]);

/** The modules that decide what the given ones compute, those included. @throws Error for one that is not in the graph */
export function modulesOf(graph: ModuleGraph, entries: readonly string[]): string[] {
  const found = new Set<string>();
  const waiting = [...entries];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    const module = graph[name];
    if (module === undefined) throw new Error(`There is no module ${name} in this build.`);
    found.add(name);
    waiting.push(...module.imports.filter((each) => !silent.test(each) && !chosen.has(each)));
  }
  return [...found].sort();
}

/** @param entries paths in the build of the modules that compute a result */
export function codeOf(entries: readonly string[], graph: ModuleGraph = graphOfThisBuild()): Code {
  const names = modulesOf(graph, entries);
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name} ${graph[name]!.hash}\n`);
  const packages = [...new Set(names.flatMap((name) => graph[name]!.packages))].sort();
  const versions = packages.flatMap((name) => {
    const version = versionOf(name);
    return version === undefined ? [] : [[name, version] as const];
  });
  return {
    modules: hash.digest('hex').slice(0, 20),
    libraries: { ...Object.fromEntries(versions), unicode: process.versions.unicode ?? 'none' },
  };
}

let read: ModuleGraph | undefined;

export function graphOfThisBuild(): ModuleGraph {
  if (read !== undefined) return read;
  const file = path.join(buildFolder, 'code.json');
  try {
    read = parseJson(readFileSync(file, 'utf8')) as ModuleGraph;
  } catch (cause) {
    throw new BenchError(
      'UNAVAILABLE',
      `${file}, which says what this program was built from, cannot be read.`,
      {
        hint: 'Build again: npm run build. If it was installed from a package, install it again.',
        cause,
      },
    );
  }
  return read;
}

const versions = new Map<string, string | undefined>();

/** The version that the package gives itself; undefined where it is not installed, and so cannot have computed anything. */
export function versionOf(name: string): string | undefined {
  if (!versions.has(name)) versions.set(name, readVersion(name));
  return versions.get(name);
}

function readVersion(name: string): string | undefined {
  for (let folder = buildFolder; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'node_modules', name, 'package.json');
    if (existsSync(file)) return (parseJson(readFileSync(file, 'utf8')) as { version: string }).version;
    if (folder === path.dirname(folder)) return undefined;
  }
}
