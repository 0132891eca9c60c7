/** The mistakes that `npm run mutate` makes, and what it says of tests that notice them and of some that do not. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from './places.js';
import { SmallCheckout } from './small-checkout.js';

interface Mutation {
  kind: string;
  start: number;
  end: number;
  text: string;
}
const script = pathToFileURL(path.join(root, 'scripts', 'mutate', 'mutations.mjs')).href;
const { mutationsOf } = (await import(script)) as { mutationsOf(source: string): Mutation[][] };

/** A line as every mistake leaves it. */
const mistakes = (source: string) =>
  mutationsOf(source).flatMap((site) =>
    site.map(({ start, end, text }) => source.slice(0, start) + text + source.slice(end)),
  );

test('the mistakes are those of a tired programmer', () => {
  const made: [string, string[]][] = [
    ['a = b < c;', [';', 'a = b <= c;', 'a = b > c;']],
    ['x = a - 0.1;', [';', 'x = a + 0.1;', 'x = a - 0.11;']],
    ['x = 1e-12;', [';', 'x = 0.00001;']],
    ['x = 1e30;', [';', 'x = 1.1e+30;']],
    ['x = y[2];', [';', 'x = y[3];', 'x = y[1];']],
    ['x = a && b;', [';', 'x = a || b;']],
    ['x = a ?? b;', [';', 'x = a;', 'x = (b);']],
    ['if (a) b();', ['if (!(a)) b();', 'if (a) ;']],
    ['x = f(a, b);', [';', 'x = f(b, a);']],
    // What comes first says nothing of a minimum, and of a product of tensors.
    ['x = Math.min(a, 1);', [';', 'x = Math.max(a, 1);', 'x = Math.min(a, 2);', 'x = Math.min(a, 0);']],
    ['x = tf.mul(a, b);', [';']],
    ['x = tf.sub(a, b);', [';', 'x = tf.sub(b, a);']],
    [
      'x = a.slice(b, c);',
      [';', 'x = a.slice((b) + 1, c);', 'x = a.slice(b, (c) - 1);', 'x = a.slice(c, b);'],
    ],
    [
      'x = a.sort((p, q) => p - q);',
      [';', 'x = a;', 'x = a.sort((q, p) => p - q);', 'x = a.sort((p, q) => p + q);'],
    ],
    ['x = a.toReversed();', [';', 'x = a;']],
    ['x = a.toString();', [';']],
    ['x = await (a ?? b);', [';', 'x = (a ?? b);', 'x = await (a);', 'x = await ((b));']],
    ['async () => { await f(); };', ['async () => { ; };', 'async () => { f(); };', ';']],
    ['x = -a;', [';', 'x = a;']],
    ['x = a.length;', [';', 'x = (a.length - 1);']],
    ['const f = (a = b) => a;', ['const f = (a) => a;']],
  ];
  for (const [source, expected] of made) assert.deepEqual(mistakes(source).sort(), expected.sort(), source);
});

test('what is written for people is left alone', () => {
  for (const source of [
    'throw new Error(a + 1);',
    "import { a } from 'b';",
    'const a = new RangeError(f(b, c));',
  ])
    assert.deepEqual(mistakes(source), [], source);
});

let checkout: SmallCheckout;
before(async () => {
  checkout = await SmallCheckout.make();
  await writeFile(
    checkout.at('harness', 'toy.ts'),
    [
      'export const half = (n: number): number => (n >= 10 ? n / 2 : 0);',
      'export const never = (n: number): number => n + n;',
      'export function count(n: number): number {',
      '  let i = n;',
      '  while (i < 5) i++;',
      '  return i;',
      '}',
      'export const isHere = (n: number): boolean => n > 3;',
      'export async function wait(step: () => Promise<void>, isLast: boolean): Promise<void> {',
      '  if (isLast) await step();',
      '}',
      '',
    ].join('\n'),
  );
  await mkdir(checkout.at('test'));
  await writeFile(
    checkout.at('test', 'toy-half.test.ts'),
    [
      "import assert from 'node:assert/strict';",
      "import { test } from 'node:test';",
      "import { count, half, isHere } from '../harness/toy.js';",
      "test('half of a large number', () => assert.deepEqual([half(20), half(1)], [10, 0]));",
      "test('up to five', () => assert.equal(count(3), 5));",
      "test('on what is here', { skip: !isHere(4) }, () => assert.ok(isHere(4)));",
      "test('elsewhere', { skip: true }, () => {});",
      '',
    ].join('\n'),
  );
  checkout.build();
});
after(() => checkout.remove());

const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** The script in the small checkout, with a temporary folder of its own. */
async function start(...argv: string[]) {
  const temporary = await mkdtemp(path.join(tmpdir(), 'strata-mutations-'));
  folders.push(temporary);
  const child = spawn(process.execPath, ['scripts/mutate.mjs', 'toy', ...argv], {
    cwd: checkout.folder,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (data) => {
    said += data;
  });
  return { child, temporary, said: () => said };
}

test('a mistake that changes what a test sees is noticed, the others are listed with their lines', async () => {
  const built = checkout.at('dist', 'harness', 'toy.js');
  const code = await readFile(built, 'utf8');
  const { child, temporary, said } = await start('--file', 'toy.ts:1');
  assert.equal((await once(child, 'close'))[0], 0);
  const text = said();
  // Of line 1: the condition, two comparisons, two limits, the product, two divisors, and 1 for 0.
  assert.match(text, /^toy: 9 mutants/);
  assert.match(
    text,
    /survived harness\/toy\.ts:1 \(comparison\); ran toy-half\n {4}- .*n >= 10.*\n {4}\+ .*n > 10/,
  );
  assert.match(
    text,
    /\ntoy: 6 of 9 noticed \(66\.7 %\), 0 of them by the compiler or lint, 0 because a test hung; 3 survived, 0 never ran\n$/,
  );
  assert.equal(await readFile(built, 'utf8'), code);
  assert.deepEqual(await readdir(temporary), []);
});

test('a mistake by which a test is skipped that ran without it is noticed', async () => {
  const { child, said } = await start('--file', 'toy.ts:8');
  assert.equal((await once(child, 'close'))[0], 0);
  // `n >= 3` and `n > 2` skip nothing; `n < 3` and `n > 4` do.
  assert.match(said(), /\ntoy: 2 of 4 noticed .* 2 survived, 0 never ran\n$/);
});

test('what the compiler or lint refuses in the source is noticed without a test', async () => {
  const { child, said } = await start('--file', 'toy.ts:10');
  assert.equal((await once(child, 'close'))[0], 0);
  const refused = said().match(/^refused .*/gm)!;
  assert.equal(refused.length, 1, 'neither a condition that is turned round nor a call that is not made');
  assert.match(refused[0]!, /^refused harness\/toy\.ts:10 \(await\), a promise, and nothing waits for it/);
  assert.match(said(), /\ntoy: 1 of 3 noticed \(33\.3 %\), 1 of them by the compiler or lint, 0 because/);
});

test('what no test runs is said so, and a sample is the same for the same seed', async () => {
  const never = await start('--file', 'toy.ts:2');
  assert.equal((await once(never.child, 'close'))[0], 0);
  assert.match(never.said(), /never run harness\/toy\.ts:2 \(arithmetic\)/);
  const lists: string[] = [];
  for (const seed of [4, 4, 5]) {
    const { child, said } = await start('--list', '--count', '4', '--seed', `${seed}`);
    assert.equal((await once(child, 'close'))[0], 0);
    lists.push(said());
  }
  assert.equal(lists[0], lists[1]);
  assert.notEqual(lists[0], lists[2]);
  assert.equal(lists[0]!.match(/^harness/gm)!.length, 4);
});

test('what a test runs is kept, and taken anew once the test is another', async () => {
  const kept = checkout.at('.bench', 'coverage', 'toy-half.test.json');
  const source = checkout.at('test', 'toy-half.test.ts');
  const outcome = async () => {
    const { child, said } = await start('--file', 'toy.ts:2', '--count', '1');
    assert.equal((await once(child, 'close'))[0], 0);
    return /; 0 survived, 0 never ran\n$/.test(said())
      ? 'noticed'
      : /^(never run|survived) /m.exec(said())?.[1];
  };
  await rm(kept, { force: true });
  assert.equal(await outcome(), 'never run');
  const first = await readFile(kept, 'utf8');
  assert.ok(!first.includes(checkout.folder), 'it holds no place of this machine');
  await outcome();
  assert.equal(await readFile(kept, 'utf8'), first);
  const before = await readFile(source, 'utf8');
  await writeFile(
    source,
    `${before.replace('count, half', 'count, half, never')}test('twice', () => assert.equal(never(2), 4));\n`,
  );
  checkout.build();
  assert.equal(await outcome(), 'noticed');
  assert.notEqual(await readFile(kept, 'utf8'), first);
  await writeFile(source, before);
  checkout.build();
});

test('stopped while a test loops for ever, it leaves nothing behind', async () => {
  // Line 5 without its step never ends.
  const { child, temporary, said } = await start('--file', 'toy.ts:5');
  while (!said().includes('mutants')) await once(child.stdout, 'data');
  await new Promise((resolve) => setTimeout(resolve, 500));
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'close'), [130, null]);
  assert.deepEqual(await readdir(temporary), []);
});

test('an unknown room, file or option is refused', async () => {
  for (const argv of [
    ['--count', '0'],
    ['--file', 'absent.ts'],
    ['--speed', '3'],
  ]) {
    const { stderr } = checkout.run(['scripts/mutate.mjs', 'toy', ...argv], 2) as { stderr: string };
    assert.match(stderr, /^mutate: /);
  }
  assert.match(
    (checkout.run(['scripts/mutate.mjs', 'toys'], 2) as { stderr: string }).stderr,
    /there is no room toys: .*toy/,
  );
});
