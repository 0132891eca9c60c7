/** Checkpoints and indexes that a user brings in folders: checked, and tried by FAISS in another process first. */
import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { readIndexFacts } from '../harness/index/vector-index.js';
import type { EncodedIndex, TrainedCheckpoint } from '../harness/pipeline/one-stage.js';
import { silentProgress } from '../harness/progress.js';
import { loadFaiss } from '../harness/searchers/faiss/flat.js';
import { tryShards } from '../harness/searchers/faiss/trial.js';
import { rewriteManifest } from './forged-manifest.js';
import { bench, json, type StageCommand, set, stageRoot } from './stage-commands.js';

const faissMissing = await loadFaiss().then(
  () => false as const,
  (error: Error) => error.message,
);

let root: string;
let checkpoint: string;
let index: string;
const data = () => ['--dataset', 'squad', '--data', path.join(root, 'data')];
const cache = () => ['--cache', path.join(root, 'cache')];

before(async () => {
  root = await stageRoot();
  const trained = ['train', '--arch', 'mlr-sc', ...data(), ...set, '--set', 'train.epochs=0', ...cache()];
  checkpoint = (await json<TrainedCheckpoint>(...(trained as [StageCommand, ...string[]]))).checkpoint;
  const shards = ['--set', 'encode.shardPassages=20'];
  const encoded = await json<EncodedIndex>(
    'encode',
    '--checkpoint',
    checkpoint,
    ...data(),
    ...cache(),
    ...shards,
  );
  index = encoded.index;
});
after(() => rm(root, { recursive: true, force: true }));

let copies = 0;
async function copyOf(folder: string): Promise<string> {
  const copy = path.join(root, `copy-${copies++}`);
  await cp(folder, copy, { recursive: true });
  return copy;
}

async function flip(file: string, at = 100): Promise<void> {
  const bytes = await readFile(file);
  bytes[at]! ^= 1;
  await writeFile(file, bytes);
}

/** What stood on stderr while a command ran, and what it failed with. */
async function toldBy(
  ...argv: [StageCommand, ...string[]]
): Promise<{ said: string; error?: Error & { code: string } }> {
  const { write } = process.stderr;
  let said = '';
  process.stderr.write = ((text: string) => {
    said += text;
    return true;
  }) as typeof write;
  try {
    await bench(...argv);
    return { said };
  } catch (error) {
    return { said, error: error as Error & { code: string } };
  } finally {
    process.stderr.write = write;
  }
}

const search = (
  of: { checkpoint?: string; index?: string },
  ...more: string[]
): [StageCommand, ...string[]] => [
  ...(['search', '--checkpoint', of.checkpoint ?? checkpoint, '--index', of.index ?? index] as const),
  ...data(),
  ...cache(),
  ...['--run', path.join(root, `${copies}.run`), ...more],
];

test('a copy of a checkpoint is checked, and one without its manifest is noted', async () => {
  const copy = await copyOf(checkpoint);
  assert.doesNotMatch((await toldBy('encode', '--checkpoint', copy, ...data(), ...cache())).said, /manifest/);
  const weights = path.join(copy, 'encoder', 'model.safetensors');
  await flip(weights, 2000);
  for (const argv of [
    ['encode', '--checkpoint', copy, ...data(), ...cache()],
    search({ checkpoint: copy }),
    ['mine', '--checkpoint', copy, ...data(), ...cache()],
    ['train', '--arch', 'mlr-sc', '--init', copy, ...data(), ...set, ...cache()],
  ] as [StageCommand, ...string[]][]) {
    const { error } = await toldBy(...argv);
    assert.equal(error?.code, 'CACHE_INVALID', argv.join(' '));
    assert.match(
      error.message,
      /encoder\/model\.safetensors holds other bytes than those it was finished with/,
    );
  }
  await flip(weights, 2000);
  await rm(path.join(copy, 'manifest.json'));
  const { said, error } = await toldBy('encode', '--checkpoint', copy, ...data(), ...cache());
  assert.equal(error, undefined);
  assert.match(said, /has no manifest\.json, so that nobody can say whether its weights/);
});

test('a copy of an index is checked, and one that other code made is noted', async () => {
  const copy = await copyOf(index);
  await flip(path.join(copy, 'shard-00001.faiss'));
  const { error } = await toldBy(...search({ index: copy }));
  assert.equal(error?.code, 'CACHE_INVALID');
  assert.match(error.message, /shard-00001\.faiss holds other bytes/);
  await flip(path.join(copy, 'shard-00001.faiss'));
  assert.doesNotMatch((await toldBy(...search({ index: copy }))).said, /was made/);
  await rewriteManifest(copy, ({ inputs }) => ({
    inputs: { ...(inputs as object), code: { modules: '0', libraries: {} } },
  }));
  const { said } = await toldBy(...search({ index: copy }));
  assert.match(
    said,
    /The index .*copy-\d was made by other code than this program's \(bench \d+\.\d+\.\d+\)/,
  );
  await rewriteManifest(copy, ({ inputs }) => ({
    inputs: { ...(inputs as object), engine: { name: 'tensorflow' } },
  }));
  assert.match((await toldBy(...search({ index: copy }))).said, /by other code .* and on another engine/);
});

test('an index whose description lacks what it must hold is refused', async () => {
  const whole = await readIndexFacts(index);
  const changed = (member: string, to: (facts: typeof whole) => unknown) =>
    JSON.stringify({ ...whole, [member]: to(whole) });
  for (const text of [
    'null',
    '{}',
    '[]',
    '{"passages": 44, "vectors": 44, "dimensions": 16, "vectorsPerPassage": 1}',
    // Other than its shards say, and a shard that does not begin where the one before ends.
    changed('dimensions', (facts) => facts.dimensions * 1e12),
    changed('shards', ({ shards }) => shards.map((shard) => ({ ...shard, firstPassage: 4 }))),
    changed('shards', ({ shards }) => shards.map(({ firstPassage: _, ...shard }) => shard)),
  ]) {
    const copy = await copyOf(index);
    await writeFile(path.join(copy, 'index.json'), text);
    await rewriteManifest(copy);
    const { error } = await toldBy(...search({ index: copy }));
    assert.equal(error?.code, 'CACHE_INVALID', `${text}: ${error?.stack}`);
    assert.match(error.message, /index\.json does not say what an index holds/);
  }
});

test('what FAISS refuses, or dies of, is told, and ends no process but its own', {
  skip: faissMissing,
}, async (t) => {
  const { Index } = await loadFaiss();
  const graph = path.join(root, 'graph.faiss');
  const made = Index.fromFactory(16, 'HNSW8', 0);
  made.add(Array.from({ length: 16 * 20 }, (_, i) => Math.sin(i)));
  made.write(graph);
  const bytes = await readFile(graph);
  // Links that lead out of the graph: FAISS reads them and walks there.
  const links = Buffer.from(bytes);
  links.fill(0x7f, 600, 1200);
  const forged = path.join(root, 'shard-00001.faiss');
  for (const [what, content, message] of [
    ['no index', Buffer.from('nothing of FAISS'), /cannot be read by FAISS: Index type .* not recognized/],
    ['cut in half', bytes.subarray(0, bytes.length >> 1), /cannot be read by FAISS/],
    ['links into nowhere', links, /ends the process in which FAISS reads it: SIG[A-Z]+/],
  ] as const) {
    await writeFile(forged, content);
    await assert.rejects(tryShards([forged], silentProgress()), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'DATA_INVALID', `${what}: ${error.stack}`);
      assert.match(error.message, message);
      t.diagnostic(`${what}: ${error.message.slice(error.message.indexOf('shard-00001.faiss'))}`);
      return true;
    });
    // As a command meets it: not even the header is that of a shard.
    const copy = await copyOf(index);
    await writeFile(path.join(copy, 'shard-00001.faiss'), content);
    await rewriteManifest(copy);
    const { error } = await toldBy(...search({ index: copy }, '--searcher', 'faiss'));
    assert.equal(error?.code, 'CACHE_INVALID', `${what}: ${error?.stack}`);
  }
  await tryShards([path.join(index, 'shard-00001.faiss')], silentProgress());
});

for (const searcher of ['exact', ...(faissMissing === false ? ['faiss'] : [])])
  test(`a number that is none in a forged index is refused before ${searcher} searches it`, async () => {
    const copy = await copyOf(index);
    const shard = path.join(copy, 'shard-00001.faiss');
    const bytes = await readFile(shard);
    bytes.writeFloatLE(Number.NaN, 45 + 4 * 16);
    await writeFile(shard, bytes);
    await rewriteManifest(copy);
    const { error } = await toldBy(...search({ index: copy }, '--searcher', searcher));
    assert.equal(error?.code, 'DATA_INVALID', error?.stack);
    assert.match(error.message, /holds NaN in a vector of passage 17 of the collection/);
  });

test('an encoding that goes on makes damaged shards again, with a note', async () => {
  const before = await readFile(path.join(index, 'shard-00001.faiss'));
  for (const damage of [
    () => flip(path.join(index, 'shard-00001.faiss')),
    () => flip(path.join(index, 'shard-00001.json'), 20),
    () => truncate(path.join(index, 'shard-00001.faiss'), 50),
    () => rm(path.join(index, 'shard-00001.faiss')),
  ]) {
    await rm(path.join(index, 'manifest.json'));
    await damage();
    const { said } = await toldBy(
      ...(['encode', '--checkpoint', checkpoint, ...data(), ...cache()] as [StageCommand, ...string[]]),
      ...['--set', 'encode.shardPassages=20'],
    );
    assert.match(said, /shard-00001\.\w+ .* The shard is made again\./);
    assert.deepEqual(await readFile(path.join(index, 'shard-00001.faiss')), before);
  }
  assert.ok((await readdir(index)).includes('manifest.json'));
});
