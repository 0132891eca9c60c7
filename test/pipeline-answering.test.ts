/** A system opened from plain data, in a process of its own, and what that process is said to hold and take. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { BenchError } from '../harness/errors.js';
import { answerOf, measureAnswering } from '../harness/pipeline/answering.js';
import type { Cell, OpenSystem } from '../harness/pipeline/cell.js';
import { readHits } from '../harness/pipeline/hit-files.js';
import { openSystem } from '../harness/pipeline/opening.js';
import { prepare, storeOf } from '../harness/pipeline/prepare.js';
import { StageLog } from '../harness/pipeline/stage-log.js';
import { makeCell } from '../harness/pipeline.js';
import { silentProgress } from '../harness/progress.js';
import { assertRecord } from '../harness/record/validate.js';
import type { PassageHits } from '../harness/search/search.js';
import type { Artifact } from '../harness/store/store.js';
import { run } from '../harness/sweep.js';
import { givenFiles } from './given-folder.js';
import { sentenceFolder } from './sentence-folder.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
let given: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-answering-'));
  await writeTinyCollection(path.join(root, 'data'));
  given = path.join(root, 'given');
  await mkdir(given);
  for (const [name, content] of Object.entries(givenFiles()))
    await writeFile(path.join(given, name), content);
});
after(() => rm(root, { recursive: true, force: true }));

const progress = silentProgress();

async function madeCell(architecture: string, ...set: string[]): Promise<{ cell: Cell; hits: PassageHits }> {
  const request = tinyRequest(root, architecture, 1, 'answering.measure=true', ...set);
  const store = storeOf(request, progress);
  const prepared = await prepare(request, progress, store);
  const cell = await makeCell(request, prepared, new StageLog(store), progress);
  const run = store.used.findLast(({ kind }) => kind === 'runs') as Artifact<{ depth: number }>;
  return { cell, hits: await readHits(run) };
}

const cellOf = async (architecture: string) => (await madeCell(architecture)).cell;

const ordinalsOf = ({ depth, ordinals, counts }: PassageHits): number[][] =>
  Array.from(counts, (count, q) => [...ordinals.subarray(q * depth, q * depth + count)]);

/** Of all queries, in both ways of asking. */
async function hitsOf(system: OpenSystem, { queries }: Cell) {
  try {
    const together = await system.answerBatch(queries);
    const alone: PassageHits[] = [];
    for (const query of queries) {
      let value: unknown = query;
      for (const part of system.parts) value = await part.run(value as never);
      alone.push(value as PassageHits);
    }
    return { together: ordinalsOf(together), alone: alone.flatMap(ordinalsOf) };
  } finally {
    await system.close();
  }
}

test('every kind of system that lies on this disk is opened from plain data, and finds what its run found', async () => {
  const kinds: [string, ...string[]][] = [
    ['bm25'],
    ['mlr-sc'],
    ['mlr-sc', 'index.kind=int8'],
    [`pretrained:${await sentenceFolder('mean and cosine')}`],
    [`vectors:${given}`],
    [`fuse:bm25+vectors:${given}`],
    [`rerank:bm25>mlr-sc`],
  ];
  for (const kind of kinds) {
    const { cell, hits } = await madeCell(...kind);
    const opening = JSON.parse(JSON.stringify(cell.opening)) as Cell['opening'];
    for (const folder of opening.folders) assert.ok(existsSync(folder), folder);
    const { together, alone } = await hitsOf(await openSystem(opening, { progress }), cell);
    assert.deepEqual(together, ordinalsOf(hits), kind.join(' '));
    assert.deepEqual(alone, together, kind.join(' '));
  }
});

test('a record has what the process held and took, and says so where it was turned off', async () => {
  const record = await run(tinyRequest(root, 'mlr-sc', 1, 'answering.measure=true'), progress);
  assertRecord(JSON.parse(JSON.stringify(record)), 'answering');
  const { answering, stages } = record;
  assert.equal(stages.at(-1)!.name, 'answering');
  assert.ok(answering!.queries! >= 1 && answering!.warmup! >= 1 && answering!.openSeconds! > 0);
  const bytes = (id: string) => answering!.costs[`memory-${id}`]!.value;
  if (process.platform === 'linux') {
    assert.ok(bytes('bytes')! >= bytes('anonymous-bytes')! && bytes('anonymous-bytes')! > 2 ** 20);
    assert.ok(bytes('files-bytes')! > 2 ** 20);
  } else assert.match(answering!.costs['memory-bytes']!.reason!, /only Linux/);
  assert.ok(answering!.costs['cpu-ms-per-query']!.value! > 0);
  for (const { value, reason } of Object.values(answering!.costs))
    assert.equal(value === null, reason !== undefined);

  const off = await run(tinyRequest(root, 'mlr-sc', 1), progress);
  assert.deepEqual(off.answering, { notMeasured: 'turned off by answering.measure', costs: {} });
  assert.ok(off.stages.every(({ name }) => name !== 'answering'));
});

test('a process that fails leaves its reason, an interrupt no figure', async () => {
  const cell = await cellOf('bm25');
  const folder = path.join(root, 'nowhere');
  const from = { ...cell.opening.from, folder };
  const { facts } = await measureAnswering(
    { ...cell, opening: { system: 'bm25', folders: [], from } },
    progress,
  );
  assert.match(facts.notMeasured!, /^its process failed: .*nowhere/);
  const killed = { ...cell, opening: { system: 'bm25', folders: [], from: { ...from, folder: 7 } } };
  assert.match((await measureAnswering(killed, progress)).facts.notMeasured!, /^its process failed: /);
  const gone = { ...cell, opening: { ...cell.opening, folders: [folder] } };
  assert.match(
    (await measureAnswering(gone, progress)).facts.notMeasured!,
    /nowhere, which bm25 is opened from/,
  );
  const timed = { ...cell, queries: [] };
  assert.match((await measureAnswering(timed, progress)).facts.notMeasured!, /latency\.queries/);
  const stopped = silentProgress(AbortSignal.abort());
  await assert.rejects(measureAnswering(cell, stopped), (error: BenchError) => error.code === 'INTERRUPTED');
});

test('its memory is what GNU time says of the same process', async (t) => {
  if (!existsSync('/usr/bin/time')) return t.skip('there is no /usr/bin/time here');
  const cell = await cellOf('mlr-sc');
  const module = fileURLToPath(new URL('../harness/pipeline/answering-process.js', import.meta.url));
  const child = spawn('/usr/bin/time', ['-v', process.execPath, module], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr!.on('data', (data) => {
    said += data;
  });
  const { opening, queries } = cell;
  const order = { opening, queries, device: 'cpu', rereads: false };
  const message = await answerOf(child, order, progress.signal);
  assert.equal(message.state, 'measured', JSON.stringify(message));
  const told = 1024 * Number(/Maximum resident set size \(kbytes\): (\d+)/.exec(said)![1]);
  const measured = message.state === 'measured' ? message.facts.costs['memory-bytes']!.value! : 0;
  t.diagnostic(`${measured} bytes, GNU time ${told}: ${(100 * (measured / told - 1)).toFixed(2)} %`);
  assert.ok(Math.abs(measured / told - 1) < 0.05, `${measured} ${told}`);
});
