/** An index is built in a process of its own: what that says is told, and however it ends there is a whole file or none. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { BenchError } from '../harness/errors.js';
import type { VectorIndex } from '../harness/index/vector-index.js';
import { createProgress, type Progress, silentProgress } from '../harness/progress.js';
import { buildInProcess } from '../harness/search/build-process.js';
import { rowBlocks } from '../harness/search/ordered-build.js';
import { makeIndex, normalRows, temporaryFolder } from './made-index.js';
import { writtenFiles } from './written-files.js';

const { folder } = writtenFiles('strata-build-process-');
let made = 0;

/** @param body of the process: it has its `order`, `say`s messages and may `write` the target */
async function build(body: string, progress: Progress = silentProgress()) {
  const target = path.join(folder, `${made++}`, 'index');
  const module = path.join(folder, `${made}.mjs`);
  const begin = `
    import { mkdirSync, writeFileSync } from 'node:fs';
    const order = JSON.parse(process.argv[2]);
    const say = (message) => new Promise((resolve) => process.send(message, resolve));
    const write = (text) => writeFileSync(order.target, text);
  `;
  writeFileSync(module, `${begin}${body}\nprocess.disconnect();`);
  mkdirSync(path.dirname(target));
  const request = {
    folder: 'shards',
    kind: 'KIND',
    trainingVectors: 7,
    seed: 3,
    target,
    vectors: 40,
    progress,
  };
  const process = {
    module: pathToFileURL(module),
    environment: { STRATA_BUILT_BY: 'a test' },
    refused: (kind: string, message: string) => new BenchError('CONFIG_INVALID', `${kind}: ${message}`),
  };
  const facts = await buildInProcess(request, process).catch((error: Error) => error);
  return { facts, files: readdirSync(path.dirname(target)), target };
}

test('it is told what to build and where, says how far it is, and its file comes in place whole', async () => {
  const told: unknown[] = [];
  const stage = (...begun: unknown[]) => {
    told.push(['begin', ...begun]);
    return {
      update: (...update: unknown[]) => told.push(update),
      end: (...note: unknown[]) => told.push(['end', ...note]),
    };
  };
  const { facts, files, target } = await build(
    `
    await say({ state: 'training', vectors: 7 });
    await say({ state: 'adding', rows: 25 });
    await say({ state: 'adding', rows: 40 });
    write(JSON.stringify({ ...order, by: process.env.STRATA_BUILT_BY }));
    console.log('one line'); console.error('another');
    await say({ state: 'built', trainedOn: 7, own: { lists: 2 } });
    `,
    { ...silentProgress(), stage } as unknown as Progress,
  );
  if (facts instanceof Error) throw facts;
  assert.deepEqual(told, [['begin', 'index KIND', 40, 'vectors'], [0, 'training on 7'], [25], [40], ['end']]);
  assert.deepEqual(files, ['index']);
  const written = readFileSync(target, 'utf8');
  const { target: temporary, ...order } = JSON.parse(written) as Record<string, unknown>;
  assert.deepEqual(order, { folder: 'shards', kind: 'KIND', trainingVectors: 7, seed: 3, by: 'a test' });
  assert.notEqual(temporary, target);
  const { said, ...rest } = facts;
  assert.deepEqual(rest, { trainedOn: 7, sizeBytes: written.length, own: { lists: 2 } });
  assert.deepEqual(said.split('\n').sort(), ['', 'another', 'one line']);
});

test('of what it writes the end is kept, and facts of its own are none where it says none', async () => {
  const { facts } = await build(
    `write('x'); process.stdout.write('a' + 'b'.repeat(9_999) + 'c'); await say({ state: 'built', trainedOn: 0 });`,
  );
  if (facts instanceof Error) throw facts;
  assert.equal(facts.said, `${'b'.repeat(9_999)}c`);
  assert.deepEqual(Object.keys(facts).sort(), ['said', 'sizeBytes', 'trainedOn']);
});

test('however it fails, the reason is told and nothing stays', async () => {
  for (const [body, code, message, hint] of [
    ["write('x'); await say({ state: 'refused', message: 'too few' });", 'CONFIG_INVALID', 'KIND: too few'],
    [
      "await say({ state: 'failed', code: 'DATA_INVALID', message: 'damaged.', hint: 'Do this.' });",
      'DATA_INVALID',
      'damaged.',
      'Do this.',
    ],
    ["await say({ state: 'failed', code: 'CACHE_INVALID', message: 'gone.' });", 'CACHE_INVALID', 'gone.'],
    [
      "write('x'); console.error('terminate called\\n  what():  bad shape'); process.exit(3);",
      'CONFIG_INVALID',
      'KIND: bad shape',
    ],
    [
      "write('x'); console.error('first'); console.error('no memory\\n'); process.exit(1);",
      'UNAVAILABLE',
      "Building the index 'KIND' ended before it was done (exit code 1, no memory).",
      'Where the machine ran out of memory, fewer index.trainingVectors or a smaller kind may do.',
    ],
    [
      "await say({ state: 'adding', rows: 3 }); process.kill(process.pid, 'SIGKILL'); setInterval(() => 0, 1000);",
      'UNAVAILABLE',
      "Building the index 'KIND' ended before it was done (SIGKILL, without a word).",
      'Where the machine ran out of memory, fewer index.trainingVectors or a smaller kind may do.',
    ],
  ] as const) {
    const { facts, files } = await build(body);
    assert.ok(facts instanceof BenchError, `${body}: ${JSON.stringify(facts)}`);
    assert.deepEqual([facts.code, facts.message, facts.hint], [code, message, hint], body);
    assert.deepEqual(files, [], body);
  }
});

const ordered = new URL('../harness/search/ordered-build.js', import.meta.url).href;

test('what runs there opens the index that is named, and an error of ours comes back whole', async (t) => {
  const index = await makeIndex(await temporaryFolder(t), normalRows(3, 2, 'ordered'));
  await index.close();
  const begin = (folder: string) => `
    const { buildAsOrdered, say: tell } = await import(${JSON.stringify(ordered)});
    process.argv[2] = JSON.stringify({ ...order, folder: ${JSON.stringify(folder)} });
  `;
  const body = `await buildAsOrdered(async ({ seed, target }, { vectors }) => {
    writeFileSync(target, 'x'.repeat(10 * vectors + seed));
    tell({ state: 'built', trainedOn: vectors });
  });`;
  const { facts } = await build(`${begin(index.folder)}${body}`);
  if (facts instanceof Error) throw facts;
  assert.deepEqual([facts.trainedOn, facts.sizeBytes], [3, 33]);
  const gone = await build(`${begin(`${index.folder}-none`)}${body}`);
  assert.ok(gone.facts instanceof BenchError, String(gone.facts));
  assert.equal(gone.facts.code, 'PATH_INVALID');
  assert.equal(gone.facts.message, `${index.folder}-none holds no finished index: there is no index.json.`);
  assert.match(gone.facts.hint!, /^bench encode makes an index/);
  assert.deepEqual(gone.files, []);
  const wrong = await build(
    `${begin(index.folder)}await buildAsOrdered(() => { throw new TypeError('a bug'); });`,
  );
  assert.ok(wrong.facts instanceof BenchError && wrong.facts.code === 'UNAVAILABLE', String(wrong.facts));
});

test('it ends with whoever asked for it: at once, or before it began', async () => {
  const forEver =
    "write('x'); await say({ state: 'adding', rows: 1 }); setInterval(() => 0, 1000); await new Promise(() => 0);";
  for (const early of [true, false]) {
    const stopping = new AbortController();
    if (early) stopping.abort();
    const progress = createProgress({ signal: stopping.signal, output: { write: () => undefined } });
    const stage = () => ({ update: () => stopping.abort(), end: () => undefined });
    const { facts, files } = await build(forEver, { ...progress, signal: stopping.signal, stage });
    assert.ok(facts instanceof BenchError && facts.code === 'INTERRUPTED', String(facts));
    assert.deepEqual(files, []);
  }
});

test('rows come in blocks of a million numbers, each read before it is handed over', async () => {
  const dimensions = 2 ** 19;
  const index = {
    ...{ vectors: 5, dimensions },
    async readRows(first: number, count: number, values: Float32Array) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      for (let i = 0; i < count; i++) values.fill(first + i + 1, i * dimensions, (i + 1) * dimensions);
    },
  };
  const seen: number[][] = [];
  for await (const { first, count, values } of rowBlocks(index as unknown as VectorIndex)) {
    assert.equal(values.length, count * dimensions);
    seen.push([first, ...Array.from({ length: count }, (_, i) => values[(i + 1) * dimensions - 1]!)]);
  }
  assert.deepEqual(seen, [
    [0, 1, 2],
    [2, 3, 4],
    [4, 5],
  ]);
});
