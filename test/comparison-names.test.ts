/** The names that tell systems apart, and what makes none of another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupSystems } from '../harness/comparison/systems.js';
import { defaultConfig } from '../harness/config/config.js';
import { madeRecord, stored } from './made-records.js';

test('systems of one architecture are named by what differs between them', () => {
  const systems = groupSystems([
    stored({ arch: 'me-bert', vectors: 2 }),
    stored({ arch: 'me-bert', vectors: 4 }),
    stored({ arch: 'mlr', config: { train: { epochs: 3 } } }),
    stored({ arch: 'mlr', config: { train: { epochs: 9 } } }, 'nine.record.json'),
    stored(),
  ]);
  assert.deepEqual(
    systems.map(({ name }) => name),
    ['me-bert (M=2)', 'me-bert (M=4)', 'mlr (train.epochs=3)', 'mlr (train.epochs=9)', 'dual-encoder'],
  );
});

test('whatever makes a system another one stands in its name', () => {
  const base = madeRecord({ arch: 'me-bert' });
  const { arch, device, index } = base;
  const parameter = { name: 'nprobe', value: 4 };
  const changes: [name: string, change: object][] = [
    ['model=other', { model: { ...base.model, name: 'other' } }],
    ['layers=1+2', { arch: { ...arch, layers: [1, 2] } }],
    ['M=3', { arch: { ...arch, vectors: 3 } }],
    ['lambda=0.1', { arch: { ...arch, lambda: 0.1 } }],
    ['maskShort=true', { arch: { ...arch, maskShort: true } }],
    ['index=IVF8,Flat nprobe 4', { index: { ...index, kind: 'IVF8,Flat', parameter } }],
    ['index=HNSW32', { index: { ...index, kind: 'HNSW32' } }],
    ['searcher=faiss', { device: { ...device, searcher: 'faiss' } }],
    ['engine=tensorflow', { device: { ...device, engine: 'tensorflow' } }],
    ['device=cuda', { device: { ...device, device: 'cuda' } }],
    ['train.batchSize=7', { config: { ...base.config, train: { epochs: 3, batchSize: 7 } } }],
  ];
  for (const [name, change] of changes) {
    const systems = groupSystems([
      { file: 'a.record.json', record: base },
      { file: 'b.record.json', record: { ...base, ...change } as typeof base },
    ]);
    assert.equal(systems[1]?.name, `me-bert (${name})`);
  }
  // Three differences are shown, and more only where they leave two the same.
  const four = changes.slice(1, 5).map(([, change]) => (change as { arch: object }).arch);
  const record = { ...base, arch: Object.assign({}, ...four, { layers: [1, 2], vectors: 3, lambda: 0.1 }) };
  const [, last] = groupSystems([
    { file: 'a.record.json', record: base },
    {
      file: 'b.record.json',
      record: { ...record, arch: { ...record.arch, maskShort: true } } as typeof base,
    },
  ]);
  assert.equal(last!.name, 'me-bert (layers=1+2, M=3, lambda=0.1)');
  const masked = { ...record, arch: { ...record.arch, maskShort: true } } as typeof base;
  const precise = { ...masked, config: { ...masked.config, encode: { precision: 'int8' } } } as typeof base;
  const three = groupSystems([base, masked, precise].map((each, i) => ({ file: `${i}.json`, record: each })));
  assert.deepEqual(
    three.slice(1).map(({ name }) => name),
    ['float32', 'int8'].map(
      (precision) => `me-bert (layers=1+2, M=3, lambda=0.1, encode.precision=${precision})`,
    ),
    'what tells two apart is shown though it is not among the first',
  );
});

test('where and how often latency was measured, and what was measured, do not make another system', () => {
  const other = {
    cache: '/tmp/x',
    out: 'y',
    seeds: [1, 2],
    latency: { queries: 3 },
    check: { sizeBytes: 1 },
  };
  const systems = groupSystems([stored({ seed: 1 }), stored({ seed: 2, config: other })]);
  assert.equal(systems.length, 1);
});

test('nor do memory and batches, or a key that an older record lacks where it stands as it is by default', () => {
  const { search, train, encode, ...rest } = defaultConfig();
  const bounds = {
    search: { ...search, memoryMiB: 9, batchSize: 7 },
    encode: { ...encode, memoryMiB: 9, batchTokens: 7, shardPassages: 5 },
    train: { ...train, saveEverySteps: 3 },
    unpack: { ...rest.unpack, largestGiB: 3 },
    endpoint: { ...rest.endpoint, concurrency: 7, timeoutSeconds: 3 },
  };
  const { negativePool: _, ...older } = train;
  const names = (...configs: object[]) =>
    groupSystems(configs.map((config, i) => stored({ seed: i + 1, config }))).map(({ name }) => name);
  const now = { ...rest, search, train, encode };
  assert.equal(names(now, { ...rest, ...bounds }, { ...now, train: older }).length, 1);
  const asked = { ...rest.endpoint, model: 'another' };
  assert.equal(names(now, { ...now, endpoint: asked }).length, 2);
  assert.deepEqual(names({ ...now, train: { ...train, negativePool: 7 } }, { ...now, train: older }), [
    'dual-encoder (train.negativePool=7)',
    `dual-encoder (train.negativePool=${train.negativePool})`,
  ]);
});

test('nor does what a teacher would be told, where there is none or its loss has no such number', () => {
  const { train, ...rest } = defaultConfig();
  const names = (...teachers: object[]) =>
    groupSystems(
      teachers.map((teacher, i) =>
        stored({
          seed: i + 1,
          config: { ...rest, train: { ...train, teacher: { ...train.teacher, ...teacher } } },
        }),
      ),
    ).map(({ name }) => name);
  assert.equal(
    names({}, { loss: 'kl', weight: 7, contrastive: 2, temperature: 3, missing: 'refused' }).length,
    1,
  );
  const scores = 'scores.tsv';
  assert.equal(
    names({ scores, loss: 'margin-mse' }, { scores, loss: 'margin-mse', temperature: 3 }).length,
    1,
  );
  assert.equal(names({ scores, loss: 'kl' }, { scores, loss: 'kl', temperature: 3 }).length, 2);
  assert.equal(names({ scores }, { scores, weight: 7 }).length, 2);
  assert.equal(names({}, { scores }).length, 2);
});

test('the same seed twice is two systems, told apart by their files', () => {
  const systems = groupSystems([stored({}, 'old/a.record.json'), stored({}, 'new/a.record.json')]);
  assert.deepEqual(
    systems.map(({ name }) => name),
    ['dual-encoder [old/a.record.json]', 'dual-encoder [new/a.record.json]'],
  );
});
