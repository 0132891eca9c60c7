/** Timing of cells that are made up: which queries, which take turns, what is opened and closed, and what one's failure leaves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import { BenchError } from '../harness/errors.js';
import type { Cell, OpenSystem } from '../harness/pipeline/cell.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { chosenQueries, rereadingQueries, timeCells } from '../harness/pipeline/timing.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import { madeRecord } from './made-records.js';

const queries = Array.from({ length: 30 }, (_, q) => ({ queryId: `q${q}`, text: `text ${q}` }));
const usual = { queries: 12, warmup: 2, batchSizes: [4], interleave: true, memoryMiB: 1 };

interface Asked {
  arch: string;
  openBytes?: number;
  rereads?: boolean;
  untimed?: string;
  latency?: Partial<typeof usual>;
  parts?: OpenSystem['parts'];
  open?: () => Promise<never>;
  resident?: boolean;
}

/** What happened, in order. */
const events: string[] = [];
/** By the name of the system. */
const opens = new Map<string, () => Promise<OpenSystem>>();

function cellOf({
  arch,
  openBytes = 1,
  rereads = false,
  untimed,
  latency,
  parts,
  open,
  resident = true,
}: Asked): Cell {
  const config = defaultConfig();
  Object.assign(config.latency, usual, latency);
  const answered = (what: string) => (value: unknown) => {
    events.push(`${arch} ${what}`);
    return value;
  };
  const system: OpenSystem = {
    parts: parts ?? [
      { name: 'encode', run: answered('encode') },
      { name: 'search', run: answered('search') },
    ],
    answerBatch: async (batch) => {
      events.push(`${arch} batch of ${batch.length}`);
      return undefined as never;
    },
    resident,
    close: async () => void events.push(`${arch} closes`),
  };
  const opened = async () => {
    events.push(`${arch} opens`);
    return system;
  };
  opens.set(arch, open ?? opened);
  return {
    ...{ file: `${arch}.record.json`, record: madeRecord({ arch }), queries, openBytes, rereads },
    request: { architecture: arch, dataset: 'made', seed: 3, offline: true, config } as RunRequest,
    ...(untimed !== undefined && { untimed }),
    wholeIndex: { secondsPerQuery: 7, warnings: [`${arch} was untimed`] },
    ...{ stages: [], searchable: [], cached: false, opening: { system: arch, folders: [], from: {} } },
  };
}

async function timed(asked: readonly Asked[], progress: Partial<Progress> = {}) {
  events.length = 0;
  const stages: string[] = [];
  const remarks: string[] = [];
  const cells = asked.map(cellOf);
  const stage: Progress['stage'] = (name, total) => {
    let most = 0;
    return {
      update(done) {
        most = done;
      },
      end: () => void stages.push(`${name}: ${most} of ${total}`),
    };
  };
  const remark = (line: string) => void remarks.push(line);
  const found = await timeCells(cells, { ...silentProgress(), stage, remark, ...progress }, async (opening) =>
    opens.get(opening.system)!(),
  );
  assert.deepEqual(new Set(found.map(({ cell }) => cell)), new Set(cells));
  const of = (arch: string) => found.find(({ cell }) => cell.request.architecture === arch)!;
  return { found, of, stages, remarks };
}

const count = (event: string) => events.filter((each) => each === event).length;

test('all are opened, warmed up and asked the same, in turns, and closed', async () => {
  const { found, of, stages, remarks } = await timed([{ arch: 'mlr' }, { arch: 'bm25', resident: false }]);
  assert.equal(found.length, 2);
  const { latency, failure, seconds } = of('mlr');
  assert.equal(failure, undefined);
  assert.ok(seconds > 0);
  const expected = chosenQueries(queries, 12, 3).map(({ queryId }) => queryId);
  assert.equal(new Set(expected).size, 12);
  assert.deepEqual(latency!.queryIds, expected);
  assert.deepEqual(of('bm25').latency!.queryIds, expected);
  assert.deepEqual([latency!.rounds, latency!.warmup, latency!.wholeIndexSecondsPerQuery], [1, 2, 7]);
  assert.deepEqual(latency!.interleavedWith, ['bm25']);
  assert.deepEqual(of('bm25').latency!.interleavedWith, ['mlr']);
  assert.deepEqual([latency!.resident, of('bm25').latency!.resident], [true, false]);
  for (const part of ['encode', 'search', 'total'] as const)
    assert.equal(latency![part]!.samplesMs.length, 12, part);
  assert.equal(latency!.tokenize, undefined);
  assert.deepEqual(
    latency!.throughput!.map(({ batchSize, queries: answered }) => [batchSize, answered]),
    [[4, 20]],
  );
  assert.ok(latency!.warnings.includes('mlr was untimed'));
  assert.ok(!latency!.warnings.join().includes('reads the whole index'));
  assert.deepEqual(stages, [
    ...[
      'warm up mlr: 12 of 12',
      'warm up bm25: 12 of 12',
      'latency: 24 of 24',
      'throughput: 10 of undefined',
    ],
  ]);
  assert.deepEqual(remarks, []);
  assert.deepEqual(
    events.filter((event) => / (opens|closes)$/.test(event)),
    ['mlr opens', 'bm25 opens', 'mlr closes', 'bm25 closes'],
  );
  // Once through all of them at least, then 2 to warm up and 12, and as many batches to warm up as are timed.
  assert.ok(count('mlr search') >= 12 + 2 + 12 && count('mlr search') <= 1000 + 2 + 12);
  assert.equal(count('mlr batch of 4'), 5 + 5);
});

test('no more queries are timed than there are, and of none nothing is opened', async () => {
  const all = await timed([{ arch: 'mlr', latency: { queries: 31 } }]);
  assert.equal(all.of('mlr').latency!.queryIds.length, 30);
  const none = await timed([{ arch: 'mlr', latency: { queries: 0 } }]);
  assert.deepEqual(
    none.found.map(({ latency, seconds }) => [latency, seconds]),
    [[undefined, 0]],
  );
  assert.deepEqual(events, []);
  assert.deepEqual(await timeCells([], silentProgress()), []);
  const single = await timed([{ arch: 'mlr', latency: { batchSizes: [] } }]);
  assert.equal(single.of('mlr').latency!.throughput, undefined);
});

test('what reads the whole index from the disk has turns of its own and few queries, and says so', async () => {
  const { of, remarks } = await timed([
    { arch: 'mlr', rereads: true },
    { arch: 'bm25' },
    { arch: 'me-bert', rereads: true },
  ]);
  const { latency } = of('mlr');
  assert.deepEqual(latency!.queryIds, of('bm25').latency!.queryIds.slice(0, rereadingQueries));
  assert.deepEqual([latency!.warmup, latency!.interleavedWith], [0, ['me-bert']]);
  assert.deepEqual(of('bm25').latency!.interleavedWith, []);
  assert.match(
    latency!.warnings[0]!,
    /^Every search reads the whole index, .* \(1024\) does not hold: 10 of 12 queries are timed, after a single search to warm up\.$/,
  );
  // A single search to warm up, though every query is encoded; two full batches, none to warm up.
  assert.deepEqual([count('mlr search'), count('mlr encode'), count('mlr batch of 4')], [1 + 10, 10 + 10, 2]);
  assert.deepEqual(remarks, [
    'latency: all at once would take more than latency.memoryMiB allows, or some read the disk; together: bm25; mlr, me-bert',
  ]);
});

test('turns hold what fits the memory to the byte; without turns each is alone', async () => {
  const half = 2 ** 19;
  const of = async (latency: Partial<typeof usual>, ...bytes: number[]) => {
    const asked = bytes.map((openBytes, i) => ({ arch: ['mlr', 'bm25', 'me-bert'][i]!, openBytes, latency }));
    const { of: one, remarks } = await timed(asked);
    return [asked.map(({ arch }) => one(arch).latency!.interleavedWith.length), remarks.length];
  };
  assert.deepEqual(await of({}, half, half), [[1, 1], 0]);
  assert.deepEqual(await of({}, half, half + 1), [[0, 0], 1]);
  assert.deepEqual(await of({}, half, half + 1, half), [[1, 0, 1], 1]);
  assert.deepEqual(await of({ interleave: false }, 1, 1), [[0, 0], 0]);
});

const boom = new Error('boom');
const throwing = (): never => {
  throw boom;
};

test('one that cannot be opened or warmed up fails alone, and what it had open is closed', async () => {
  const opening = await timed([{ arch: 'mlr', open: () => Promise.reject(boom) }, { arch: 'bm25' }]);
  assert.deepEqual([opening.of('mlr').failure, opening.of('mlr').latency], [boom, undefined]);
  assert.equal(opening.of('bm25').failure, undefined);
  assert.deepEqual(opening.of('bm25').latency!.interleavedWith, []);
  assert.equal(opening.of('bm25').latency!.queryIds.length, 12);
  const warming = await timed([
    { arch: 'bm25' },
    { arch: 'mlr', parts: [{ name: 'search', run: throwing }] },
    { arch: 'me-bert' },
  ]);
  assert.equal(warming.of('mlr').failure, boom);
  assert.deepEqual(
    [warming.of('bm25'), warming.of('me-bert')].map(({ latency }) => latency!.interleavedWith),
    [['me-bert'], ['bm25']],
  );
  assert.deepEqual(
    events.filter((event) => / (opens|closes)$/.test(event)),
    ['bm25 opens', 'mlr opens', 'mlr closes', 'me-bert opens', 'bm25 closes', 'me-bert closes'],
  );
  const both = await timed([
    { arch: 'mlr', open: () => Promise.reject(boom) },
    { arch: 'bm25', open: () => Promise.reject(boom) },
  ]);
  assert.deepEqual(
    both.found.map(({ failure }) => failure),
    [boom, boom],
  );
});

test('a failure while they take turns is one of all that did, for nobody knows whose figures it spoilt', async () => {
  let asked = 0;
  const later = { name: 'search', run: () => (++asked > 1000 + 12 ? throwing() : undefined) };
  const { of } = await timed([{ arch: 'mlr', parts: [later], latency: { warmup: 1001 } }, { arch: 'bm25' }]);
  assert.deepEqual([of('mlr').failure, of('bm25').failure], [boom, boom]);
  assert.deepEqual(
    events.filter((event) => / closes$/.test(event)),
    ['mlr closes', 'bm25 closes'],
  );
});

test('an interrupt is no failure of a cell, wherever it comes, and everything is closed', async () => {
  const interrupted = { code: 'INTERRUPTED' };
  const stopped = new BenchError('INTERRUPTED', 'stopped');
  await assert.rejects(
    timed([{ arch: 'mlr' }, { arch: 'bm25', open: () => Promise.reject(stopped) }]),
    interrupted,
  );
  assert.deepEqual(events.slice(-1), ['mlr closes']);
  const controller = new AbortController();
  const parts = [{ name: 'search', run: () => controller.abort() }];
  const checkInterrupted = () => {
    if (controller.signal.aborted) throw stopped;
  };
  const progress = { signal: controller.signal, checkInterrupted };
  await assert.rejects(timed([{ arch: 'bm25' }, { arch: 'mlr', parts }], progress), interrupted);
  assert.deepEqual(events.slice(-2), ['bm25 closes', 'mlr closes']);
});

test('what answers no query takes no turn, and comes back without latencies', async () => {
  const elsewhere = { arch: 'run:a', untimed: 'made elsewhere' };
  const { of } = await timed([elsewhere, { arch: 'bm25' }]);
  assert.deepEqual(
    [of('run:a').latency, of('run:a').failure, of('run:a').seconds],
    [undefined, undefined, 0],
  );
  assert.deepEqual(of('bm25').latency!.interleavedWith, []);
  assert.equal(count('run:a opens') + (await timed([elsewhere])).found.length, 1);
});
