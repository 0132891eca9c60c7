import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readPrices } from '../harness/interchange/prices.js';
import type { StoredRecord } from '../harness/record.js';
import { given, near, ones } from './given-records.js';
import { prepare, records, render } from './made-reports.js';

const folder = mkdtempSync(path.join(tmpdir(), 'bench-prices-'));
after(() => rmSync(folder, { recursive: true }));

/** Of 1,000 passages: so many bytes of vectors each, ids apart, and a median of searching and of all. */
function sized(arch: string, right: number, bytes: number, searchMs: number): StoredRecord {
  return given({
    arch,
    measures: { 'success@20': ones(right, 100) },
    samples: { search: [searchMs, searchMs, searchMs], total: [3 * searchMs, 3 * searchMs, 3 * searchMs] },
    index: {
      sizeBytes: { vectors: 1000 * bytes + 45, identifiers: 8000, offsets: 0, total: 1000 * bytes + 8045 },
    },
  });
}

const small = sized('small', 50, 128, 0.5);
const middle = sized('middle', 80, 512, 4);
const alike = sized('alike', 79, 500, 4.5);
const large = sized('large', 99, 8192, 30);

test('for each cost the best within it stands with those that the tests do not tell from it', async () => {
  const report = await prepare([small, middle, alike, large]);
  const { isoCost } = report.sections[0]!;
  assert.equal(isoCost!.familySize, 6);
  assert.deepEqual(
    isoCost!.budgets.map(({ cost, limit, within, best, tied }) => [cost, limit, within, best?.name, tied]),
    [
      ['passage-bytes', 128, 1, 'small', []],
      ['passage-bytes', 512, 3, 'middle', ['alike']],
      ['passage-bytes', 4096, 3, 'middle', ['alike']],
      ['search-ms', 1, 1, 'small', []],
      ['search-ms', 5, 3, 'middle', ['alike']],
      ['search-ms', 20, 3, 'middle', ['alike']],
      ['total-ms', 1, 0, undefined, undefined],
      ['total-ms', 5, 1, 'small', []],
      ['total-ms', 20, 3, 'middle', ['alike']],
    ],
  );
  const markdown = await render('markdown', report);
  assert.match(markdown, /^\| 512 B a passage \| 3 \| middle \| 80\.0 % \| 512 B \| alike \|$/m);
  assert.match(markdown, /^\| 1 ms from text to hits \| 0 \| none \| – \| – \| – \|$/m);
  assert.match(await render('html', report), /<h3>Best for a cost<\/h3>/);
});

test('latencies of several devices make no best for milliseconds, bytes do', async () => {
  const { device } = large.record;
  const record = { ...large.record, device: { ...device, machine: { ...device.machine, cpu: 'Other CPU' } } };
  const other = { ...large, record };
  const { isoCost } = (await prepare([small, middle, other])).sections[0]!;
  assert.deepEqual([...new Set(isoCost!.budgets.map(({ cost }) => cost))], ['passage-bytes']);
});

test('each point of a curve that holds its accuracy is one more to choose from', async () => {
  const perQuery = ones(90, 100);
  const search = { meanMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, samplesMs: [0.75, 0.75, 0.75] };
  const points = [
    {
      value: 16,
      recall: { 10: 0.9 },
      measures: { 'success@20': { mean: 0.9, perQuery } },
      execution: { search },
    },
    { value: 64, recall: { 10: 1 } },
  ];
  const curved = structuredClone(large);
  Object.assign(curved.record.index!, {
    kind: 'HNSW32',
    curve: { depth: 10, parameter: 'efSearch', points },
  });
  const { isoCost } = (await prepare([small, middle, curved])).sections[0]!;
  const fast = isoCost!.budgets.find(({ cost, limit }) => cost === 'search-ms' && limit === 1);
  assert.deepEqual(fast!.best, { name: 'large at efSearch 16', accuracy: 0.9, cost: 0.75 });
});

test('money: the mean time of a query on its threads, and the index for a month', async () => {
  const prices = { currency: 'EUR', gbMonth: 0.2, vcpuHour: 0.036, queriesPerMonth: 1000 };
  const one = given({
    measures: { 'success@20': ones(5, 9) },
    samples: { total: [10, 20, 60] },
    index: { sizeBytes: { vectors: 5e9, identifiers: 0, offsets: 0, total: 5e9 } },
  });
  const report = await prepare([one], { prices });
  const [row] = report.sections[0]!.prices!.systems;
  // 30 ms on 2 threads are 60 ms of a processor: 0.036 / 3,600,000 * 60 a query.
  near(row!.millionQueries!.value, 0.6, 'a million queries');
  const { low, high } = row!.millionQueries!.interval!;
  assert.ok(low >= 0.2 && low < 0.6 && high > 0.6 && high <= 1.2, `${low} to ${high}`);
  near(row!.month!.value, 1 + 0.0006, 'a month');
  near(row!.month!.interval!.high, 1 + high / 1000, 'the interval of a month');
  const text = await render('markdown', report);
  assert.match(
    text,
    /^\| dual-encoder \| 0\.600 \(0\.\d+ to [\d.]+\) \| 1\.00 \(1\.00 to 1\.00\) \| {2}\|$/m,
  );
  assert.match(text, /answers 1,000 queries/);
  assert.match(await render('csv', report), /EUR a million queries,EUR a month\n/);
});

test('what was not measured has no price, and the row says why', async () => {
  const prices = { currency: 'USD', gbMonth: 1, vcpuHour: 1 };
  const of = async (...given: StoredRecord[]) =>
    (await prepare(given, { prices })).sections[0]!.prices!.systems[0]!;
  const untimed = await of(given({ measures: { 'success@20': [1, 0] } }));
  assert.deepEqual(
    [untimed.millionQueries, /latency was not measured/.test(untimed.missing!)],
    [undefined, true],
  );
  const gpu = await of(
    given({ measures: { 'success@20': [1, 0] }, samples: { total: [1, 2] }, device: { device: 'webgpu' } }),
  );
  assert.match(gpu.missing!, /it ran on webgpu, which the prices do not name/);
  const unknown = await of(
    given({ measures: { 'success@20': [1, 0] }, samples: { total: [1] }, device: { threads: null } }),
  );
  assert.match(unknown.missing!, /threads are not known/);
  assert.ok(unknown.month!.value > 0);
  assert.equal((await prepare(records)).sections[0]!.prices, undefined);
});

test('a table of prices is read as it is, or refused with every fault', async () => {
  const written = (text: string | Buffer) => {
    const file = path.join(folder, 'prices.json');
    writeFileSync(file, text);
    return readPrices(file);
  };
  const fine = { currency: 'USD', gbMonth: 0.1, vcpuHour: 0 };
  assert.deepEqual(await written(JSON.stringify(fine)), fine);
  await assert.rejects(written('{"currency": "", "gbMonth": -1, "perQuery": 3, "gpuHour": 2}'), {
    code: 'DATA_INVALID',
    message:
      /lacks 'vcpuHour'\n.*must not have 'perQuery'\n.*must not have 'gpuHour'\n.*currency must match.*\n.*gbMonth must be >= 0, not -1$/,
  });
  for (const text of [
    '[1]',
    '{"currency": 1e999}',
    '{',
    'null',
    Buffer.from([0xff, 0x7b]),
    ' '.repeat(70_000),
  ]) {
    await assert.rejects(written(text), { code: 'DATA_INVALID' });
  }
  await assert.rejects(readPrices(folder), { code: 'PATH_INVALID' });
  await assert.rejects(readPrices(path.join(folder, 'none.json')), { code: 'PATH_INVALID' });
});

test('two samples have an interval of their mean, one has none', async () => {
  const prices = { currency: 'EUR', gbMonth: 0, vcpuHour: 3600 };
  const priced = async (...total: number[]) => {
    const measures = { 'success@20': ones(1, total.length) };
    const one = given({ measures, samples: { total }, device: { threads: 1 } });
    return (await prepare([one], { prices })).sections[0]!.prices!.systems[0]!.millionQueries!;
  };
  const two = await priced(10, 30);
  near(two.value, 20_000, 'two');
  assert.ok(two.interval!.low < two.value && two.interval!.high > two.value);
  const one = await priced(10);
  near(one.value, 10_000, 'one');
  assert.equal(one.interval, undefined);
});
