/** The arrows between files and rooms: no circles, and no line of the table that nothing uses. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './places.js';
import { filesThatLookFurther, namesWorkedOut, rooms } from './rooms-table.js';
import { files, importsOf, neighboursOf, roomOf } from './source-imports.js';

const sourceOf = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** A way from a file back to itself, each file once; undefined where the graph has none. */
function circleIn(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const way: string[] = [];
  const from = (file: string): string[] | undefined => {
    const met = way.indexOf(file);
    if (met >= 0) return [...way.slice(met), file];
    if (done.has(file)) return undefined;
    done.add(file);
    way.push(file);
    for (const next of graph.get(file) ?? []) {
      const circle = from(next);
      if (circle !== undefined) return circle;
    }
    way.pop();
    return undefined;
  };
  for (const file of graph.keys()) {
    const circle = from(file);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

test('no file imports itself by way of others, types included', () => {
  assert.equal(circleIn(new Map(files.map((file) => [file, neighboursOf(file)]))), undefined);
  const made = (...arrows: string[]) =>
    new Map(arrows.map((arrow) => [arrow[0]!, [...arrow.slice(1)]] as const));
  assert.deepEqual(circleIn(made('abc', 'bc', 'cd', 'db')), ['b', 'c', 'd', 'b']);
  assert.equal(circleIn(made('abc', 'bc', 'cd', 'd')), undefined);
});

test('a thread loads no package when it starts: of tfjs each would hold a copy', () => {
  const threads = files.filter((file) => /\bparentPort\b/.test(sourceOf(file)) && /-thread\.ts$/.test(file));
  assert.ok(threads.length > 0);
  const isLoaded = ({ kind }: { kind: string }) => kind === 'static';
  const loaded = new Set(threads);
  // What is added while it goes round is gone through too.
  for (const file of loaded) for (const next of neighboursOf(file, isLoaded)) loaded.add(next);
  const packages = [...loaded].flatMap((file) =>
    importsOf(sourceOf(file))
      .filter((each) => isLoaded(each) && !/^(\.|node:)/.test(each.specifier))
      .map(({ specifier }) => `${file} imports ${specifier}`),
  );
  assert.deepEqual(packages, []);
});

test('every neighbour and exception of the table is made use of', () => {
  const used = new Set<string>();
  for (const file of files) {
    const source = sourceOf(file);
    for (const target of neighboursOf(file)) {
      used.add(`${file} -> ${roomOf(target)}`);
      if (!filesThatLookFurther[file]?.includes(roomOf(target)))
        used.add(`${roomOf(file)} -> ${roomOf(target)}`);
    }
    if (importsOf(source).some(({ specifier }) => specifier === '')) used.add(file);
  }
  const arrows = (table: Readonly<Record<string, readonly string[]>>) =>
    Object.entries(table).flatMap(([from, wanted]) => wanted.map((to) => `${from} -> ${to}`));
  const listed = Object.entries(rooms).flatMap(([room, { imports }]) =>
    imports === 'below' ? [] : [[room, imports] as const],
  );
  const lines = [...arrows(Object.fromEntries(listed)), ...arrows(filesThatLookFurther), ...namesWorkedOut];
  assert.deepEqual(
    lines.filter((line) => !used.has(line)),
    [],
  );
});
