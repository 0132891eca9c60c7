/** The uses of a promise that `npm run lint` refuses, since an `await` was forgotten there. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from './places.js';

interface Program {
  project: object;
  api: { close(): void };
}
const script = pathToFileURL(path.join(root, 'scripts', 'promises.mjs')).href;
const { openProgram, misusedPromises } = (await import(script)) as {
  openProgram(root: string): Program;
  misusedPromises(project: object, file: string): { line: number }[];
};

/** A statement of an asynchronous function, and whether it is refused. */
const statements: [string, boolean][] = [
  ['run();', true],
  ['await run();', false],
  ['void run();', false],
  ['run().then(() => 1);', true],
  ['run().catch(() => 1);', true],
  ['kept = run();', false],
  ['kept ??= run();', false],
  ['perhaps?.close();', true],
  ['isThere && run();', true],
  ['isThere = !isThere;', false],
  ['new Map([[1, run()]]).get(1);', true],
  ['new Map<number, unknown>().set(1, run());', false],
  ['if (!run()) return 1;', true],
  ['if (!(await run())) return 1;', false],
  ['if (run() !== undefined) return 1;', true],
  ['if (kept !== undefined) return 1;', false],
  ['if ((await run()) === undefined) return 1;', false],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a source that holds one
  ['console.log(`${run()}`);', true],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a source that holds one
  ['console.log(`${await run()}`);', false],
  ['return run();', false],
  ['try { return run(); } finally { isThere = true; }', true],
  ['try { return await run(); } finally { isThere = true; }', false],
  ['try { isThere = true; } catch { return run(); }', false],
  ['try { isThere = true; } catch { return run(); } finally { isThere = true; }', true],
  ['try { [1].map(() => { return run(); }); } finally { isThere = true; }', false],
  ['test(1);', false],
  ['suite(1);', false],
  ['withChild();', true],
  ['both();', true],
  // Without async there is nothing to await with, and a generator awaits what it returns.
  ['void function plain() { try { return run(); } finally { isThere = true; } };', false],
  ['void async function* each() { try { return run(); } finally { isThere = true; } };', false],
  ['void async function all() { try { return run(); } finally { isThere = true; } };', true],
];

test('a promise that nothing waits for, or that stands where its value is meant, is refused', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-promises-'));
  const file = path.join(folder, 'made.ts');
  await writeFile(path.join(folder, 'tsconfig.json'), '{"compilerOptions":{"target":"es2023","types":[]}}');
  const before = [
    'declare function run(): Promise<number>; declare function test(n: number): Promise<void>;',
    'declare function suite(n: number): Promise<void>; interface PromiseWithChild<T> extends Promise<T> { child: number }',
    'declare function withChild(): PromiseWithChild<number>; declare function both(): Promise<number> & { id: number };',
    'declare const console: { log(text: string): void };',
    'declare const perhaps: { close(): Promise<void> } | undefined;',
    'let kept: Promise<number> | undefined; let isThere = false;',
  ];
  const functions = statements.map(([text], i) => `export async function f${i}() { ${text} return 0; }`);
  await writeFile(file, [...before, ...functions].join('\n'));
  const { api, project } = openProgram(folder);
  const lines = new Set(misusedPromises(project, file).map(({ line }) => line - before.length - 1));
  api.close();
  await rm(folder, { recursive: true });
  assert.deepEqual(
    statements.map(([text], i) => [text, lines.has(i)]),
    statements,
  );
});
