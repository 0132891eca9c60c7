/** Checks every import against the table of rooms, and every file against the length a person reads at once. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './places.js';
import {
  filesThatLookFurther,
  longestFile,
  namesWorkedOut,
  native,
  packages,
  rooms,
  typesMayBeImported,
} from './rooms-table.js';
import { files, type Import, importsOf, packageOf, roomOf, sourceFiles } from './source-imports.js';

function mayImport(file: string, target: string): boolean {
  const room = roomOf(file);
  const wanted = roomOf(target);
  const { floor, imports, offered = [], alone } = rooms[room]!;
  if (room === wanted) return alone !== true;
  if (offered.includes(wanted)) return true;
  if (filesThatLookFurther[file]?.includes(wanted)) return true;
  return imports === 'below' ? (rooms[wanted]?.floor ?? Infinity) < floor : imports.includes(wanted);
}

/** What is wrong with one import of a file; undefined where nothing is. */
function objection(file: string, { specifier, kind }: Import): string | undefined {
  const says = `${file} imports ${specifier}`;
  if (specifier.startsWith('node:')) return undefined;
  if (specifier === '')
    return namesWorkedOut.includes(file) ? undefined : `${file} imports by a name it works out`;
  if (specifier.startsWith('.')) {
    const target = path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts');
    return mayImport(file, target) ? undefined : `${says}: ${roomOf(file)} may not import ${roomOf(target)}`;
  }
  const name = packageOf(specifier);
  if (kind === 'type' && typesMayBeImported[file]?.includes(name)) return undefined;
  const users = packages[name] ?? packages[`${name.split('/')[0]}/*`];
  if (users === undefined) return `${says}, which is not in the table of packages`;
  if (!users.includes(roomOf(file)) && !users.includes(file)) return `${says}: only ${users.join(', ')} may`;
  if (kind === 'static' && native.includes(name)) return `${says} before it is needed: use import()`;
  return undefined;
}

test('every file belongs to a room of the table', () => {
  assert.ok(files.length > 0, `no sources below ${root}`);
  assert.deepEqual(
    files.filter((file) => rooms[roomOf(file)] === undefined),
    [],
  );
});

test('a room of the table imports only from lower floors or from neighbours listed for it', () => {
  for (const [name, { imports, offered = [] }] of Object.entries(rooms)) {
    for (const wanted of [...(imports === 'below' ? [] : imports), ...offered]) {
      assert.ok(rooms[wanted] !== undefined, `${name} lists ${wanted}, which is no room`);
      assert.ok(rooms[wanted].floor <= rooms[name]!.floor, `${name} lists ${wanted}, which is above it`);
    }
  }
});

test('every import is one that its room may make', () => {
  const objections = files
    .filter((file) => rooms[roomOf(file)] !== undefined)
    .flatMap((file) =>
      importsOf(readFileSync(path.join(root, file), 'utf8')).map((found) => objection(file, found)),
    );
  assert.deepEqual(
    objections.filter((line) => line !== undefined),
    [],
  );
});

test('no room but statistics works out a mean, a median or a quantile of its own', () => {
  const own = [
    /\.reduce\(.*\+.*\) \/ \w+\.length/,
    /\bsorted\[\s*Math\.|\[\w+\.length (>>|\/) ?\d\]/,
    /function (mean|median|percentile|quantile|deviation|variance)\b/i,
  ];
  const faults = (source: string) => own.filter((pattern) => pattern.test(source));
  for (const source of [
    'values.reduce((sum, value) => sum + value, 0) / values.length',
    'sorted[Math.ceil(0.95 * sorted.length) - 1]',
    'sorted[sorted.length >> 1]',
    'function median(',
  ])
    assert.equal(faults(source).length, 1, source);
  assert.deepEqual(
    files.filter(
      (file) =>
        roomOf(file) !== 'statistics' && faults(readFileSync(path.join(root, file), 'utf8')).length > 0,
    ),
    [],
  );
});

test('no file but json.ts parses JSON, so that its limit on nesting holds everywhere', () => {
  const parsers = files.filter((file) => /\bJSON\.parse\(/.test(readFileSync(path.join(root, file), 'utf8')));
  assert.deepEqual(parsers, ['harness/json.ts']);
});

test('statistics and metrics never read the disk', () => {
  const readers = files
    .filter((file) => ['statistics', 'metrics'].includes(roomOf(file)))
    .filter((file) =>
      importsOf(readFileSync(path.join(root, file), 'utf8')).some(({ specifier }) =>
        /^node:fs\b/.test(specifier),
      ),
    );
  assert.deepEqual(readers, []);
});

test('bench starts without any package, and its light commands without a native one', () => {
  const reached = (file: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(file)) return seen;
    seen.add(file);
    for (const { specifier, kind } of importsOf(readFileSync(path.join(root, file), 'utf8'))) {
      if (kind !== 'static') continue;
      if (!specifier.startsWith('.')) seen.add(packageOf(specifier));
      else reached(path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts'), seen);
    }
    return seen;
  };
  const packagesOf = (file: string) => [...reached(file)].filter((name) => packages[name] !== undefined);
  assert.deepEqual(packagesOf('harness/cli.ts'), []);
  assert.deepEqual(packagesOf('harness/cli/list.ts'), []);
  assert.deepEqual(packagesOf('harness/cli/command.ts'), ['yargs']);
});

test('no file is a drawer, and none is too long to be read at once', () => {
  const all = [...files, ...sourceFiles('test')];
  assert.deepEqual(
    all.filter((file) => /(^|\/)(utils?|helpers?|common|core|misc)(\.|\/)/.test(file)),
    [],
  );
  const long = all
    .map((file) => ({ file, lines: readFileSync(path.join(root, file), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > longestFile);
  assert.deepEqual(long, []);
});

test('imports are found in every form they are written in', () => {
  const source = [
    "import a, { type B } from './a.js';",
    "import type { C } from '../c.js';",
    "export * from './d.js';",
    "import {\n  e,\n  f,\n} from 'pkg/e';",
    "import './g.js';",
    "const h = await import('@scope/h');",
    "// import './comment.js';",
    "/* from './comment.js' */",
    'const text = "taken from \'x\'";',
    'await import(name);',
    "export const from = 'x';",
  ].join('\n');
  assert.deepEqual(importsOf(source), [
    { specifier: './a.js', kind: 'static' },
    { specifier: '../c.js', kind: 'type' },
    { specifier: './d.js', kind: 'static' },
    { specifier: 'pkg/e', kind: 'static' },
    { specifier: './g.js', kind: 'static' },
    { specifier: '@scope/h', kind: 'dynamic' },
    { specifier: '', kind: 'dynamic' },
  ]);
});

test('a forbidden import would be found', () => {
  const cases: [string, Import][] = [
    ['harness/train/loss.ts', { specifier: '@tensorflow/tfjs-core', kind: 'type' }],
    ['harness/tensor/engines.ts', { specifier: 'onnxruntime-node', kind: 'static' }],
    ['harness/searchers/exact.ts', { specifier: 'faiss-node', kind: 'dynamic' }],
    ['harness/metrics/mrr.ts', { specifier: '../search/search.js', kind: 'type' }],
    ['harness/errors.ts', { specifier: './contracts.js', kind: 'static' }],
    ['architectures/mlr.ts', { specifier: './me-bert.js', kind: 'static' }],
    ['architectures/pooling/average.ts', { specifier: '../mlr.js', kind: 'static' }],
    ['datasets/squad.ts', { specifier: '../harness/pipeline.js', kind: 'static' }],
    ['reports/csv.ts', { specifier: 'left-pad', kind: 'static' }],
    ['harness/cli/run.ts', { specifier: '../tensor/engines.js', kind: 'dynamic' }],
  ];
  for (const [file, found] of cases) assert.ok(objection(file, found), `${file} -> ${found.specifier}`);
});
