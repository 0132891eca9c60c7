/** Rows of runs made elsewhere: what is refused, and that plans, reports, checks and the summary make up no cost. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { summarize } from '../harness/cli/summary.js';
import { prepareReport } from '../harness/comparison.js';
import type { BenchError } from '../harness/errors.js';
import { readRun } from '../harness/interchange/trec.js';
import { planRun } from '../harness/pipeline/plan.js';
import { loadReport, reportNames } from '../harness/plugins.js';
import { silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { checkRegressions } from '../harness/regression.js';
import { run, sweep } from '../harness/sweep.js';
import { loadSystem } from '../harness/systems.js';
import { madeOf } from '../harness/tasks/latency.js';
import { givenRuns } from './given-run.js';
import { failsWith } from './loopback.js';
import { thresholds } from './made-checks.js';
import { tinyRequest } from './tiny-collection.js';

const { root, tiny, lines } = await givenRuns('given-run-rows');
const progress = silentProgress();

test('what cannot be read or fits nothing is refused by what is wrong', async () => {
  const failed = (file: string, code: Parameters<typeof failsWith>[1], ...parts: string[]) =>
    assert.rejects(run(tiny(file), progress), (error: BenchError) => {
      assert.equal(error.code, code);
      for (const part of parts) assert.ok(`${error.message} ${error.hint}`.includes(part), error.message);
      return true;
    });
  await failed(path.join(root, 'nowhere.run'), 'PATH_INVALID', 'there is no such file');
  await failed(path.join(root, 'data'), 'PATH_INVALID', 'it is a folder');
  await failed(path.join(root, 'a+no-system,b.run'), 'PATH_INVALID', "'no-system', 'b.run'");
  await failed(
    await lines('twice.run', 'q0 Q0 p1 1 2', 'q0 Q0 p1 2 1'),
    'RECORD_INVALID',
    "passage 'p1' again",
  );
  await failed(await lines('nan.run', 'q0 Q0 p1 1 NaN'), 'RECORD_INVALID', 'NaN');
  await failed(
    await lines('large.run', 'q0 Q0 p1 1 1e39'),
    'DATA_INVALID',
    "passage 'p1'",
    '1e+39',
    'too large',
  );
  await failed(
    await lines('other.run', 'x1 Q0 p1 1 1'),
    'DATA_INVALID',
    'none of the 8 test queries',
    "'x1'",
  );
  await failed(await lines('empty.run'), 'RECORD_INVALID', 'holds no hits');
  await writeFile(path.join(root, 'either.txt'), 'q0\tp1\t1\nq0\tp2\t3\n');
  await failed(path.join(root, 'either.txt'), 'RECORD_INVALID', 'a rank', 'bench convert --to trec');
  const others = await lines('others.run', 'q0 Q0 d1 1 2', 'q1 Q0 d2 1 2');
  assert.equal((await run(tiny(others), progress)).measures['mrr@10']!.mean, 0);
  const fusing = run(tinyRequest(root, `fuse:bm25+run:${others}`, 1), progress);
  await failsWith(fusing, 'DATA_INVALID', 'none of the passages of beir:data', "'d1'");
  const grown = { count: 5, largest: 5 };
  const withDistractors = { ...tiny(others), distractors: grown };
  await failsWith(run(withDistractors, progress), 'USAGE', '--distractors');
  await failsWith(run(tinyRequest(root, `rerank:bm25>run:${others}`, 1), progress), 'USAGE', 'no vectors');
  await assert.rejects(loadSystem('run:'), { code: 'USAGE', message: /a file of hits/ });
});

test('reports, checks and the summary show no cost where there is none', async () => {
  const file = await lines('shown.run', ...[0, 1, 2].map((i) => `q${i} Q0 p${i} 1 ${9 - i}`));
  const other = await lines('shown-too.run', ...[1, 2, 3].map((i) => `q${i} Q0 p${i} 1 ${9 - i}`));
  const systems = ['bm25', `run:${file}`, `fuse:run:${file}+run:${other}`, `rerank:run:${file}>mlr-sc`];
  const requests = [1, 2].flatMap((seed) =>
    systems.map((name) => ({ ...tinyRequest(root, name, seed), config: tiny(file).config })),
  );
  const { records, failures } = await sweep(requests, progress);
  assert.deepEqual(failures, []);
  const [bm25, given, fused, reranked] = records as [RunRecord, RunRecord, RunRecord, RunRecord];
  assert.deepEqual([given.latency, given.index, fused.latency, fused.index], Array(4).fill(undefined));
  assert.equal(fused.device.searcher, null);
  assert.deepEqual(bm25.latency!.interleavedWith, [reranked.arch.name]);
  const summary = summarize(records);
  // Names are wide here: each cost has a table of its own.
  const cells = [...summary.matchAll(/^run:shown\.run +2 seeds +(.*)$/gm)].map(([, cell]) => cell!.trim());
  assert.deepEqual(cells, ['37.5±0.0', ...Array(6).fill('-'), 'elsewhere']);
  assert.match(summary, /^rerank:run\S+ +2 seeds +onnx cpu, hits given$/m);
  assert.doesNotMatch(summary, /NaN|undefined/);
  const stored = records.map((record, i) => ({ file: `${i}.record.json`, record }));
  const report = await prepareReport(stored, { values: true }, '0.1.0');
  const row = report.sections[0]!.systems.find(({ arch }) => arch === 'run:shown.run')!;
  assert.deepEqual(Object.keys(row.cells), ['mrr@10']);
  assert.ok(report.sections[0]!.comparisons.some(({ candidate }) => candidate === 'run:shown.run'));
  // What lacks a part of its cost has no place among costs, and that is said.
  const [section] = report.sections;
  const cheap = section!.systems.find(({ arch }) => arch.startsWith('rerank:'))!;
  const whole = section!.systems.find(({ arch }) => arch === 'bm25')!;
  assert.ok(cheap.cells['index-bytes']!.value < whole.cells['index-bytes']!.value);
  assert.deepEqual(
    [cheap.cells['index-bytes']!.place, cheap.cells['search-ms']!.place],
    [undefined, undefined],
  );
  assert.deepEqual([section!.fronts, section!.isoCost], [[], undefined]);
  const notes = section!.notes.join('\n');
  assert.match(notes, /No cost is known of run:shown\.run, fuse:run:\S+: the hits were made elsewhere/);
  assert.match(notes, /Costs of rerank:run:\S+>mlr-sc lack .* stand in no order with those of others/);
  assert.doesNotMatch(notes, /different devices/);
  const prices = { currency: 'EUR', vcpuHour: 1, gbMonth: 1 };
  const priced = await prepareReport(stored, { prices }, '0.1.0');
  const missing = priced.sections[0]!.prices!.systems.filter(
    (each) => each.missing === 'hits of it were made elsewhere',
  );
  assert.equal(missing.length, 3);
  // Two that order the same hits may be compared by what they do themselves.
  const alike = await prepareReport(
    stored
      .filter(({ record }) => record.arch.name.startsWith('rerank:'))
      .flatMap((each, i) => [
        each,
        { ...each, record: { ...each.record, arch: { ...each.record.arch, name: `other ${i}` } } },
      ]),
    {},
    '0.1.0',
  );
  assert.ok(alike.sections[0]!.fronts.length > 0);
  for (const name of reportNames()) {
    const text = await (await loadReport(name)).render(report);
    assert.doesNotMatch(text, /\bundefined\b|\bNaN\b|\[object Object\]/, name);
    if (name !== 'github') assert.ok(text.includes('run:shown.run'), name);
  }
  const createdAt = new Date(0).toISOString();
  const earlier = stored.map(({ file: name, record }) => ({ file: name, record: { ...record, createdAt } }));
  const checks = checkRegressions(earlier, stored, { ...thresholds, allowMissing: false });
  const own = checks.filter(({ system }) => system === 'run:shown.run');
  assert.ok(own.length > 0);
  assert.ok(own.every(({ name, verdict }) => name.startsWith('accuracy') && verdict === 'same'));
});

test('a plan names the file, and that nothing of it is timed', async () => {
  const file = await lines('planned.run', 'q0 Q0 p0 1 2');
  const { lines: told } = await planRun(tiny(file));
  const text = told.join('\n');
  assert.match(text, /run {7}\S+planned\.run: 19 bytes, sha256 [0-9a-f]{12}/);
  assert.match(text, /artifacts read hits\n/);
  assert.match(text, /latency {3}not measured: its hits were made elsewhere/);
  const hybrid = (await planRun(tinyRequest(root, `fuse:bm25+run:${file}`, 1))).lines.join('\n');
  assert.match(hybrid, /artifacts index -> search -> read hits -> fuse\n/);
  assert.match(hybrid, /latency {3}4 queries/);
});

test('a record of files whose paths are long has a name that a disk takes', async () => {
  const file = await lines(`${'long-'.repeat(20)}/${'name-'.repeat(20)}.run`, 'q0 Q0 p0 1 2');
  const record = await run(tinyRequest(root, `fuse:bm25+run:${file}`, 1), progress);
  assert.ok(record.run!.name.length < 200, record.run!.name);
  const hits = await readRun(path.join(root, 'out', record.run!.name));
  assert.equal(hits.run.size, 8);
});

test('its key is known before anything is read, alone and as a part: machines that share a sweep go by it', async () => {
  const file = await lines('keyed.run', 'q0 Q0 p0 1 2');
  for (const [name, stage] of [
    [`run:${file}`, 'read hits'],
    [`fuse:bm25+run:${file}`, 'fuse'],
  ] as const) {
    const request = tinyRequest(root, name, 1);
    const { hits } = await madeOf(request, progress);
    const { stages } = await run(request, progress);
    assert.equal(stages.find((each) => each.name === stage)!.key, hits);
  }
});
