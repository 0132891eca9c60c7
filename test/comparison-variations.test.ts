/** Which systems a report varies by layers and by M, and which it puts on a front. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredRecord } from '../harness/record.js';
import { stored } from './made-records.js';
import { prepare } from './made-reports.js';

const sectionOf = async (records: readonly StoredRecord[]) => (await prepare(records)).sections[0]!;

test('variations: an architecture that is there with several layers or several M, in their order', async () => {
  const { variations } = await sectionOf([
    stored({ arch: 'me-bert', vectors: 10, layers: [12] }),
    stored({ arch: 'me-bert', vectors: 2, layers: [12] }),
    stored({ arch: 'me-bert', vectors: 4, layers: [12] }),
    stored({ arch: 'mlr', layers: [2, 10, 12] }),
    stored({ arch: 'mlr', layers: [12] }),
    stored({ arch: 'mlr', layers: [10, 12] }),
    stored({ arch: 'dual-encoder', layers: [12] }),
  ]);
  assert.deepEqual(variations, [
    {
      ...{ by: 'vectors', arch: 'me-bert' },
      points: [
        { x: '2', system: 'me-bert (M=2)' },
        { x: '4', system: 'me-bert (M=4)' },
        { x: '10', system: 'me-bert (M=10)' },
      ],
    },
    {
      ...{ by: 'layers', arch: 'mlr' },
      points: [
        { x: '12', system: 'mlr (layers=12)' },
        { x: '10, 12', system: 'mlr (layers=10+12)' },
        { x: '2, 10, 12', system: 'mlr (layers=2+10+12)' },
      ],
    },
  ]);
});

test('variations keep their order where the baseline, which stands first, is the last of them', async () => {
  const records = [2, 10, 4].map((vectors) => stored({ arch: 'me-bert', vectors, layers: [12] }));
  const deeper = [[12], [10, 12], [8, 10, 12]].map((layers) => stored({ arch: 'mlr', layers }));
  for (const [given, baseline, expected] of [
    [records, 'me-bert (M=10)', ['2', '4', '10']],
    [deeper, 'mlr (layers=8+10+12)', ['12', '10, 12', '8, 10, 12']],
  ] as const) {
    const { systems, variations } = (await prepare(given, { baseline })).sections[0]!;
    assert.equal(systems[0]!.name, baseline);
    assert.deepEqual(
      variations[0]!.points.map(({ x }) => x),
      expected,
    );
  }
});

test('variations: a system without layers or with a varying number of vectors', async () => {
  const bare = (file: string, arch: object) => {
    const one = stored({ arch: 'colbert-cls' });
    return { file, record: { ...one.record, arch: { ...one.record.arch, ...arch } } } as StoredRecord;
  };
  const { variations } = await sectionOf([
    bare('a.record.json', { layers: [2], vectors: 'varies' }),
    bare('b.record.json', { layers: null, vectors: 3 }),
    bare('c.record.json', { layers: [1, 2], vectors: 2 }),
  ]);
  assert.deepEqual(
    variations.map(({ by, points }) => [by, ...points.map(({ x }) => x)]),
    [
      ['layers', '', '2', '1, 2'],
      ['vectors', '2', '3'],
    ],
  );
});

test('fronts: of the systems that have both figures, where there are two', async () => {
  const timed = (arch: string, ms: number) => stored({ arch, slower: ms });
  const untimed = (arch: string) => {
    const one = stored({ arch });
    const { latency: _, ...record } = one.record;
    return { ...one, record };
  };
  const costs = async (...records: StoredRecord[]) =>
    (await sectionOf(records)).fronts.map(({ cost }) => cost);
  const all = ['search-ms', 'total-ms', 'index-bytes'];
  assert.deepEqual(await costs(timed('mlr', 1), timed('bm25', 2), untimed('mlr-sc')), all);
  assert.deepEqual(await costs(timed('mlr', 1), untimed('mlr-sc')), ['index-bytes']);
});
