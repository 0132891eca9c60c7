/** The parts of a record by themselves: stages as they are logged, trainings, and the record of a group of datasets. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { averageGroups, averageOf } from '../harness/pipeline/group-record.js';
import { deviceFacts, trainingFacts } from '../harness/pipeline/record-parts.js';
import { StageLog } from '../harness/pipeline/stage-log.js';
import type { TrainedStage } from '../harness/pipeline/training.js';
import { datasetsNamed } from '../harness/plugins.js';
import { silentProgress } from '../harness/progress.js';
import type { RunRecord, StageFacts } from '../harness/record.js';
import type { Artifact, Making, Store } from '../harness/store/store.js';
import { madeRecord } from './made-records.js';
import { passingFolder } from './places.js';

type Used = Store['used'];
const made: Making = {
  ...{ madeAt: '2026-01-01T00:00:00.000Z', benchVersion: '1', git: null, uses: [], about: {} },
  took: { seconds: 7 },
} as unknown as Making;
const used = (kind: string, key: string): Used[number] => ({ kind, key, made }) as unknown as Used[number];
const artifact = (key: string, cached: boolean): Artifact<object> => ({ folder: '', key, facts: {}, cached });

test('a stage has its seconds, and what was asked for since the one before, each once and not itself', async () => {
  let now = 1000;
  mock.method(performance, 'now', () => now);
  const all: Used[number][] = [used('models', 'before')];
  const told: StageFacts[] = [];
  const log = new StageLog({ used: all } as never, (stage) => told.push(stage));
  try {
    await log.artifact('encode', async () => {
      now += 2500;
      all.push(used('shards', 'own'), used('checkpoints', 'c'), used('checkpoints', 'c'));
      return { ...artifact('own', false), made };
    });
    await log.plain('measure', async () => {
      now += 500;
      all.push(used('models', 'm'));
    });
    await log.artifact('search', async () => artifact('run', true));
  } finally {
    mock.restoreAll();
  }
  const [encode, measure, search] = log.stages;
  assert.deepEqual(told, log.stages);
  assert.deepEqual([encode!.name, encode!.key, encode!.execution.cached], ['encode', 'own', false]);
  assert.deepEqual([encode!.execution.seconds, measure!.execution.seconds], [2.5, 0.5]);
  const facts = { madeAt: made.madeAt, benchVersion: '1', git: null, took: { seconds: 7 } };
  assert.deepEqual(encode!.execution.made, facts);
  assert.deepEqual(encode!.execution.uses, [{ kind: 'checkpoints', key: 'c', made: facts }]);
  assert.deepEqual([measure!.key, measure!.execution.cached], [null, false]);
  assert.deepEqual(measure!.execution.uses, [{ kind: 'models', key: 'm', made: facts }]);
  assert.deepEqual([search!.execution.uses, search!.execution.made], [undefined, undefined]);
  // In bytes, which the system tells in units of 1,024.
  assert.ok(encode!.execution.peakMemoryBytes! > 2 ** 24 && encode!.execution.peakMemoryBytes! % 1024 === 0);
  assert.deepEqual([log.found, log.cached], [['search'], false]);
});

test('what a component logs stands under its name, and a log is cached where every artifact was', async () => {
  const all: Used[number][] = [];
  const told: string[] = [];
  const log = new StageLog({ used: all } as never, ({ name }) => told.push(name));
  assert.ok(log.cached);
  // Nobody need be told.
  const untold = new StageLog({ used: all } as never);
  await untold.plain('prepare', async () => undefined);
  assert.equal(untold.stages.length, 1);
  await log.plain('prepare', async () => undefined);
  const component = log.of('bm25');
  await component.artifact('index', async () => {
    all.push(used('indexes', 'i'), used('findings', 'f'));
    return artifact('i', true);
  });
  assert.ok(log.cached && component.cached);
  assert.deepEqual([log.found, component.found], [['bm25: index'], ['index']]);
  assert.deepEqual(told, ['prepare', 'bm25: index']);
  // What the component used is not told again of what comes behind it.
  await log.artifact('fuse', async () => artifact('x', true));
  assert.equal(log.stages.at(-1)!.execution.uses, undefined);
  await log.artifact('search', async () => artifact('y', false));
  assert.ok(!log.cached);
});

const epoch = (number: number, seconds: number, dev?: object) => ({
  ...{ epoch: number, steps: 4, loss: 1 / number, seconds },
  ...(dev && { dev }),
});
function trained(more: object = {}, training: object = {}): TrainedStage {
  const epochs = [
    epoch(1, 3, { crossEntropy: 2, averageRank: 5 }),
    epoch(2, 4.5, { crossEntropy: 1 }),
    epoch(3, 1),
  ];
  const facts = {
    ...{ train: { queries: 4 }, dev: { queries: 0 } },
    training: { epochs, keptEpoch: 2, stepsPerSecond: 1.5, javascriptShare: 0.1, ...training },
  };
  return {
    ...{
      checkpoint: { facts },
      setup: { model: { files: [] } },
      negatives: { described: [{ name: 'bm25' }] },
    },
    ...more,
  } as unknown as TrainedStage;
}
const stage = (name: string, cached: boolean, seconds: number, took?: number | null): StageFacts => {
  const made = took === undefined ? {} : { made: { took: { seconds: took } } };
  return { name, key: 'k', execution: { cached, seconds, ...made } } as unknown as StageFacts;
};

test('a training took what is kept with its checkpoint, found made or not; what its epochs did where it went on after a stop', () => {
  const seconds = (...train: [cached: boolean, seconds: number, took?: number | null]) =>
    trainingFacts(trained(), [stage('train', ...train)]).execution.seconds;
  assert.deepEqual([seconds(false, 20, 19), seconds(true, 1, 19)], [19, 19]);
  assert.deepEqual([seconds(false, 4, null), seconds(true, 1, null)], [8.5, 8.5]);
  const judged = { epochs: [{ ...epoch(1, 3), devSeconds: 2 }, epoch(2, 4)] };
  const facts = trainingFacts(trained({}, judged), [stage('train', false, 4, null)]);
  assert.equal(facts.execution.seconds, 9, 'with what dev took, as in one go');
  assert.equal(facts.epochs[0]!.execution!.seconds, 3, 'an epoch names the seconds of its steps');
});

test('of a checkpoint that says nothing of it, a training took what its stage took, or its epochs', () => {
  const facts = trainingFacts(trained(), [stage('encode', false, 99), stage('train', false, 20)]);
  assert.deepEqual(facts.execution, { seconds: 20, stepsPerSecond: 1.5, javascriptShare: 0.1 });
  assert.equal(trainingFacts(trained(), [stage('train', true, 20)]).execution.seconds, 8.5);
  assert.equal(trainingFacts(trained(), []).execution.seconds, 8.5);
  assert.deepEqual(
    facts.epochs.map(({ dev, execution }) => [dev, execution]),
    [
      [{ crossEntropy: 2, averageRank: 5 }, { seconds: 3 }],
      [{ crossEntropy: 1 }, { seconds: 4.5 }],
      [{}, { seconds: 1 }],
    ],
  );
  assert.deepEqual(
    [facts.bestEpoch, facts.firstStage, facts.init, facts.lambdaSearch],
    [2, undefined, undefined, undefined],
  );
  assert.equal(trainingFacts(trained({}, { epochs: [], keptEpoch: 0 }), []).bestEpoch, null);
});

test('of two stages each has its own, and the search of the first is told where the second made none', () => {
  const lambdaSearch = { chosen: 0.1 };
  const first = trained({ lambdaSearch }, { keptEpoch: 1 });
  const both = trained({ first, setup: { model: { files: [], trainedAs: 'mlr' } }, mined: { left: 3 } });
  const facts = trainingFacts(both, [stage('train, stage 1', false, 30), stage('train', false, 10)]);
  assert.deepEqual([facts.firstStage!.execution.seconds, facts.execution.seconds], [30, 10]);
  assert.deepEqual([facts.firstStage!.bestEpoch, facts.bestEpoch], [1, 2]);
  assert.deepEqual([facts.lambdaSearch, facts.mined], [lambdaSearch, { left: 3 }]);
  assert.equal(facts.init!.architecture, 'mlr');
  const own = { chosen: 1 };
  assert.equal(trainingFacts(trained({ first, lambdaSearch: own }), []).lambdaSearch, own);
});

test('what searched is named with its versions, null where nothing did', () => {
  const engine = { name: 'onnx', device: 'cpu', threads: 2, versions: { onnx: '1' } } as const;
  const searcher = { name: 'faiss', versions: { faiss: '2' } };
  const { searcher: by, versions, ...rest } = deviceFacts(engine, searcher);
  assert.deepEqual([by, versions], ['faiss', { onnx: '1', faiss: '2' }]);
  assert.deepEqual(rest, { engine: 'onnx', device: 'cpu', threads: 2 });
  assert.deepEqual(deviceFacts(engine, null).versions, { onnx: '1' });
  assert.equal(deviceFacts(engine, null).searcher, null);
});

function member(name: string, passageCount: number | null, changes: Partial<RunRecord>): RunRecord {
  const record = madeRecord({ queries: 4 });
  const files = [{ name: 'made.json', sizeBytes: 3, sha256: name }];
  return {
    ...record,
    ...changes,
    dataset: { ...record.dataset, ...changes.dataset, name, passageCount, files },
  };
}

test('a group is averaged for each system and seed of which every member ended well, and what lacks one is said', async () => {
  const group = 'beir/cqadupstack';
  const members = await datasetsNamed(group);
  const of = (arch: string, seed: number, own = members) =>
    own.map((name) => {
      const record = madeRecord({ arch, seed, queries: 2 });
      return { ...record, dataset: { ...record.dataset, name } };
    });
  const failed = of('bm25', 1).map((each, i) => (i === 3 ? { ...each, status: 'failed' as const } : each));
  const notes: string[] = [];
  const progress = { ...silentProgress(), note: (line: string) => void notes.push(line) };
  const records = [...of('mlr', 1), ...of('mlr', 2, members.slice(1)), ...failed, ...of('mlr', 3, ['squad'])];
  const averages = await averageGroups(['squad', group], records, passingFolder('averages'), progress);
  assert.deepEqual(
    averages.map(({ record }) => [
      record.arch.name,
      record.seed,
      record.dataset.name,
      record.queryIds.length,
    ]),
    [['mlr', 1, group, 12]],
  );
  assert.match(averages[0]!.file, /beir-cqadupstack-mlr-1-[0-9a-f]{8}\.record\.json$/);
  assert.deepEqual(notes, [
    `record: ${averages[0]!.file}`,
    `${group} is not averaged for mlr, seed 2: ${members[0]} did not end well`,
    `${group} is not averaged for bm25, seed 1: ${members[3]} did not end well`,
  ]);
});

test('the record of a group: means by dataset, sums of counts and bytes, vectors by passage', () => {
  const one = madeRecord();
  const index = (
    vectorsPerPassage: number,
    projectedBytes: number,
    offsets?: number,
  ): NonNullable<RunRecord['index']> => ({
    ...one.index!,
    ...{ vectorsPerPassage, projectedBytes, shards: 2, rows: 7 },
    sizeBytes: {
      vectors: 50,
      identifiers: 10,
      total: 60,
      ...(offsets !== undefined && { offsets }),
    } as never,
  });
  const counts = (queries: number, withPositive?: number) => ({
    test: { queries, qrels: 2 * queries, ...(withPositive !== undefined && { withPositive }) },
  });
  const measured = (mean: number) => ({ mrr: { ...one.measures['mrr@10']!, mean, unit: 'share' as const } });
  const a = member('set/a', 100, {
    ...{ index: index(1, 1000, 4), measures: { ...measured(0.2), extra: one.measures['mrr@10']! } },
    ...{ warnings: ['set/a is small', 'same'], dataset: { ...one.dataset, counts: counts(3, 2) } },
  });
  const b = member('set/b', 300, {
    ...{ index: index(3, 2001), measures: measured(0.6) },
    ...{ warnings: ['same', 'set/b is small'], dataset: { ...one.dataset, counts: counts(5, 4) } },
  });
  const average = averageOf('set', [a, b]);
  assert.deepEqual(Object.keys(average.measures), ['mrr']);
  assert.deepEqual([average.measures.mrr!.mean, average.measures.mrr!.perQuery], [0.4, [0.2, 0.6]]);
  assert.deepEqual([average.measures.mrr!.unit, average.status, average.stages], ['share', 'ok', []]);
  assert.deepEqual(average.queryIds, ['set/a', 'set/b']);
  const { dataset } = average;
  assert.deepEqual([dataset.name, dataset.passageCount, dataset.members], ['set', 400, ['set/a', 'set/b']]);
  assert.deepEqual(dataset.counts.test, { queries: 8, qrels: 16, withPositive: 6 });
  assert.deepEqual(dataset.counts.dev, { queries: 0, qrels: 0 });
  assert.deepEqual(
    dataset.files.map(({ name }) => name),
    ['set/a/made.json', 'set/b/made.json'],
  );
  assert.deepEqual(average.index, {
    ...{ kind: 'Flat', vectorsPerPassage: 2.5, rows: 14, dimensions: 128, shards: 4 },
    sizeBytes: { vectors: 100, identifiers: 20, total: 120, offsets: 4 },
    // (100 x 1000 + 300 x 2001) / 400
    ...{ projectedBytes: 1751, projectedPassages: 21_015_324 },
  });
  assert.deepEqual(average.warnings, [
    'Figures are means over 2 datasets of 8 queries together, each dataset counting the same.',
    'set is small',
    'same',
  ]);
  const { index: _, ...bare } = b;
  assert.equal(averageOf('group', [a, bare]).index, undefined);
});
