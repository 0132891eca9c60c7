/**
 * Every file of every kind of artifact with one bit flipped, cut in half, emptied and removed: that is found before a figure is
 * printed. A stage that leaves an artifact which is none of those made here fails this test.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { loadFaiss } from '../harness/searchers/faiss/flat.js';
import { inventory, type Stored } from '../harness/store/inventory.js';
import { artifactKinds, type Manifest, readManifest } from '../harness/store/manifest.js';
import { type ArtifactKind, type Inputs, Store } from '../harness/store/store.js';
import { run } from '../harness/sweep.js';
import { crossFolder } from './cross-folder.js';
import { answerTo, bodyOf, send } from './endpoint-server.js';
import { givenFiles } from './given-folder.js';
import { loopback } from './loopback.js';
import { root as checkout } from './places.js';
import { spladeFolder } from './splade-folder.js';
import { bench, json, set, stageRoot } from './stage-commands.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const faissMissing = await loadFaiss().then(
  () => undefined,
  (error: Error) => error.message,
);
/** Stages that need it. */
const ofFaiss = ['faiss index 1', 'recall 1'];

const server = loopback();
let root: string;
let cache: string;
let artifacts: Artifact[];
const records = new Map<string, RunRecord>();

interface Artifact extends Pick<Stored, 'key' | 'folder'> {
  kind: ArtifactKind;
  manifest: Manifest;
  /** What made it. */
  made: string;
  /** By name; the manifest too. */
  files: Map<string, Buffer>;
}

/** Two trainings, the second on what BM25 and the first found; an index of FAISS; BM25. */
const archs = ['mlr', 'bm25'] as const;
const argv = (arch: string) => [
  ...['--arch', arch, '--dataset', 'squad', '--data', path.join(root, 'data')],
  ...['--cache', cache, '--out', path.join(root, 'out')],
  ...['search.depth=10', 'measures=answer@5,success@5,mrr@10'].flatMap((setting) => ['--set', setting]),
  ...['latency.queries=0', 'answering.measure=false'].flatMap((setting) => ['--set', setting]),
  ...(arch === 'bm25'
    ? []
    : [...set, '--stages', '2', '--set', 'train.epochs=1', '--set', 'latency.queries=0']),
  ...(arch === 'bm25' || faissMissing !== undefined ? [] : ['--index', 'IVF4,Flat']),
];

before(async () => {
  root = await stageRoot();
  cache = path.join(root, 'cache');
  for (const arch of archs) records.set(arch, await json<RunRecord>('run', ...argv(arch)));
  const store = new Store(cache);
  // As a dataset leaves them: what it found out about its files, and a file made from them.
  await store.artifact('findings', { what: 'counts' }, async () => ({ found: { passages: 3 } }));
  await store.artifact('findings', { what: 'lines' }, async (folder) => {
    await writeFile(path.join(folder, 'content'), 'one\ntwo\n');
    return {};
  });
  await runOthers();
  artifacts = await Promise.all((await inventory(cache)).map(artifactOf));
});
after(() => rm(root, { recursive: true, force: true }));

/** Systems put together of others, and those of vectors and hits that are made elsewhere. */
async function runOthers(): Promise<void> {
  const own = path.join(root, 'others');
  await writeTinyCollection(path.join(own, 'data'));
  const given = path.join(own, 'given');
  await mkdir(given);
  for (const [name, content] of Object.entries(givenFiles()))
    await writeFile(path.join(given, name), content);
  server.handle = (request, response) => void bodyOf(request).then((body) => send(response, answerTo(body)));
  const hits = path.join(own, 'hits.trec');
  await writeFile(hits, 'q0 Q0 p0 1 2.5 made\nq0 Q0 p1 2 1.5 made\nq1 Q0 p1 1 1 made\n');
  const names = ['fuse:bm25+dual-encoder', 'rerank:bm25>dual-encoder', `vectors:${given}`, `run:${hits}`];
  names.push(`rerank:bm25>cross:${crossFolder('bert')}`, `sparse:${spladeFolder('bert')}`);
  for (const name of [...names, `endpoint:${new URL(server.url).origin}`])
    await run({ ...tinyRequest(own, name, 1, `cache=${cache}`), offline: false }, silentProgress());
  const distractors = { count: 4, largest: 20, from: { dataset: 'sample' } };
  await run({ ...tinyRequest(own, 'dual-encoder', 1, `cache=${cache}`), distractors }, silentProgress());
}

async function artifactOf({ kind, key, folder }: Stored): Promise<Artifact> {
  const manifest = (await readManifest(folder))!;
  const { made, what } = manifest.inputs as { made?: string; what?: string };
  const names = ['manifest.json', ...manifest.files!.map(({ name }) => name)];
  const files = new Map<string, Buffer>();
  for (const name of names) files.set(name, await readFile(path.join(folder, name)));
  return { kind: kind as ArtifactKind, key, folder, manifest, made: made ?? `findings of ${what}`, files };
}

async function restore({ folder, files }: Artifact): Promise<void> {
  for (const [name, bytes] of files) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
}

const damages: Record<string, (file: string, bytes: Buffer) => Promise<void>> = {
  async 'one bit flipped'(file, bytes) {
    const changed = Buffer.from(bytes);
    changed[bytes.length >> 1]! ^= 1;
    await writeFile(file, changed);
  },
  'cut in half': (file, bytes) => truncate(file, bytes.length >> 1),
  emptied: (file) => truncate(file, 0),
  removed: (file) => rm(file),
};

/** What is told, and that it would be made. */
async function take({ kind, manifest }: Artifact): Promise<string[]> {
  const notes: string[] = [];
  const told = {
    note: (line: string) => notes.push(line),
    stage: () => ({ update: () => undefined, end: () => undefined }),
    checkInterrupted: () => undefined,
  };
  const taken = await new Store(cache, { told }).artifact(kind, manifest.inputs as Inputs, async () => {
    throw new Error('would be made');
  });
  assert.equal(taken.cached, true);
  return notes;
}

test('every kind of artifact is there, of every stage that leaves one', () => {
  assert.deepEqual([...new Set(artifacts.map(({ kind }) => kind))].sort(), [...artifactKinds].sort());
  const folder = path.join(checkout, 'harness/stages');
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  const sources = files.map((name) => readFileSync(path.join(folder, name), 'utf8'));
  const stages = sources.flatMap((text) =>
    [...text.matchAll(/\bversion: '([^']+)'/g)].map(([, made]) => made!),
  );
  assert.ok(stages.length > 8, stages.join());
  const made = new Set(artifacts.map((artifact) => artifact.made));
  const missing = stages.filter((stage) => !made.has(stage));
  assert.deepEqual(
    missing,
    faissMissing === undefined ? [] : ofFaiss,
    'stages whose artifacts are not tried',
  );
});

test('whole artifacts are taken without a word', async () => {
  for (const artifact of artifacts) assert.deepEqual(await take(artifact), [], artifact.folder);
});

for (const [damage, apply] of Object.entries(damages)) {
  test(`any file ${damage} is found when its artifact is taken`, async (t) => {
    let cases = 0;
    for (const artifact of artifacts) {
      const { kind, key, folder, files, made } = artifact;
      for (const [name, bytes] of files) {
        if (bytes.length === 0 && damage !== 'removed') continue;
        const what = `${made}: ${name}`;
        await apply(path.join(folder, name), bytes);
        // Without a manifest it was never finished; and what was found out is found out again.
        if ((name === 'manifest.json' && damage === 'removed') || kind === 'findings')
          await assert.rejects(take(artifact), /^Error: would be made$/, what);
        else
          await assert.rejects(take(artifact), (error: Error & { code?: string; hint?: string }) => {
            assert.equal(error.code, 'CACHE_INVALID', `${what}: ${error.stack}`);
            assert.ok(
              error.message.startsWith(`The artifact ${kind}/${key} is damaged: ${name} `),
              error.message,
            );
            assert.match(error.hint!, /--repair/);
            return true;
          });
        await restore(artifact);
        cases++;
      }
      assert.deepEqual(await take(artifact), [], folder);
    }
    t.diagnostic(`${cases} files of ${artifacts.length} artifacts`);
    assert.ok(cases > 50, String(cases));
  });
}

/** The largest file is the one that figures come of. */
async function flipLargest({ folder, files }: Artifact): Promise<string> {
  const [name, bytes] = [...files]
    .filter(([each]) => each !== 'manifest.json')
    .sort(([, a], [, b]) => b.length - a.length)[0] ?? ['manifest.json', files.get('manifest.json')!];
  await damages['one bit flipped']!(path.join(folder, name), bytes);
  return name;
}

const figures = ({ measures, queryIds }: RunRecord) => ({ measures, queryIds });

test('a run that would take a damaged artifact prints no figure', async () => {
  for (const artifact of artifacts.filter(({ made }) => !made.startsWith('findings'))) {
    const arch = artifact.made === 'bm25 run 1' ? 'bm25' : 'mlr';
    const { stages } = records.get(arch)!;
    const isAsked = stages.some(
      ({ key, execution: { uses = [] } }) =>
        key === artifact.key || uses.some((used) => used.key === artifact.key),
    );
    if (!isAsked || artifact.kind === 'findings') continue;
    const name = await flipLargest(artifact);
    let printed = '';
    const ended = await bench('run', ...argv(arch)).then(
      (text) => {
        printed = text;
        return undefined;
      },
      (error: Error & { code: string }) => error,
    );
    if (ended === undefined) {
      // What something finished was made with on the way is not asked for again.
      assert.ok(!stages.some(({ key }) => key === artifact.key), `${artifact.made}: ${printed}`);
    } else {
      assert.equal(ended.code, 'CACHE_INVALID', ended.stack);
      assert.match(ended.message, new RegExp(`${artifact.kind}/${artifact.key} is damaged: ${name} `));
      assert.equal(printed, '');
    }
    await restore(artifact);
  }
});

test('with --repair all that is asked for and damaged is made anew, with the same figures', async () => {
  for (const artifact of artifacts) await flipLargest(artifact);
  for (const arch of archs) {
    const record = await json<RunRecord>('run', ...argv(arch), '--repair');
    assert.deepEqual(figures(record), figures(records.get(arch)!));
    assert.ok(record.stages.some(({ key, execution }) => key !== null && !execution.cached));
    // And it stays so.
    const again = await json<RunRecord>('run', ...argv(arch));
    assert.deepEqual(figures(again), figures(record));
    assert.ok(again.stages.every(({ key, execution }) => key === null || execution.cached));
  }
});
