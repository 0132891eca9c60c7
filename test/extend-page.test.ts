/** docs/extend.md, tried in order: each skeleton is put where it says, built, listed, held to its suite and used. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { root } from './places.js';

const checkout = mkdtempSync(path.join(tmpdir(), 'strata-extend-'));
after(() => rmSync(checkout, { recursive: true, force: true }));

const page = readFileSync(path.join(root, 'docs/extend.md'), 'utf8');
/** The code of each skeleton by the file it says it is. */
const skeletons = new Map(
  [...page.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)].map(([, file, code]) => [file!, code!]),
);

/** A command in the new checkout; what it printed. @param ends with this exit code */
function node(args: readonly string[], ends = 0): string {
  // A test that runs tests: without this the inner ones would report to the outer runner.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: checkout,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  assert.equal(status, ends, `${args.join(' ')}\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** Whether the hits of the page's system were found in the cache. */
const wereCached = (of: { stages: { name: string; execution: { cached: boolean } }[] }) =>
  of.stages.find(({ name }) => name === 'search')!.execution.cached;

/** The record of a run of the page's system. */
function answeredByFirst() {
  const run = ['run', '--arch', 'first', '--dataset', 'sample', '--set', 'latency.queries=4', '--json'];
  const said = bench(...run);
  return JSON.parse(said.slice(said.indexOf('{'), said.indexOf('\n}\n') + 2));
}

const bench = (...args: string[]) => node(['scripts/bench.mjs', ...args]);
const put = (file: string, text: string) => {
  mkdirSync(path.dirname(path.join(checkout, file)), { recursive: true });
  writeFileSync(path.join(checkout, file), text);
};

before(() => {
  const sources = ['architectures', 'datasets', 'reports', 'harness', 'test', 'scripts'];
  for (const name of [...sources, 'package.json', 'tsconfig.json', 'bench.config.json', 'docs', 'README.md'])
    cpSync(path.join(root, name), path.join(checkout, name), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(checkout, 'node_modules'), 'dir');
  for (const [file, code] of skeletons) put(file, code);
  // The lines of a folder that the page's dataset reads.
  put('notes/passages.tsv', 'p1\tbread needs salt\np2\twine needs years\n');
  put('notes/queries.tsv', 'q1\twhat bread needs\n');
  put('notes/qrels.txt', 'q1 0 p1 1\n');
  cpSync(path.join(checkout, 'notes'), path.join(checkout, 'test/fixtures/datasets/notes'), {
    recursive: true,
  });
  node(['scripts/build.mjs']);
});

test('the page has a skeleton of each kind', () => {
  assert.deepEqual(
    [...skeletons.keys()].map((file) => path.dirname(file)),
    [
      ...['architectures', 'architectures/pooling', 'datasets', 'harness/precisions', 'harness/searchers'],
      ...['harness/systems', 'reports', 'harness/metrics/measures', 'harness/costs'],
    ],
  );
});

test('the README shows the same architecture', () => {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  assert.ok(readme.includes(`\`\`\`ts\n${skeletons.get('architectures/ends.ts')}\`\`\``));
});

test('each is written as the linter wants it', () => {
  const biome = path.join('node_modules', '@biomejs', 'biome', 'bin', 'biome');
  cpSync(path.join(root, 'biome.json'), path.join(checkout, 'biome.json'));
  node([biome, 'check', '--vcs-enabled=false', '--error-on-warnings', ...skeletons.keys()]);
});

test('each is listed', () => {
  const listed = (what: string, name: string) =>
    assert.match(bench('list', what), new RegExp(`^${name}\\s`, 'm'), `${what}: ${name}`);
  for (const name of ['ends', 'ends-sc', 'ends-max', 'mlr-max']) listed('architectures', name);
  listed('architectures', 'first');
  listed('datasets', 'notes');
  listed('precisions', 'bf16');
  listed('searchers', 'plain');
  listed('reports', 'short');
  listed('measures', 'complete@k');
});

test('each passes what every file of its kind has to pass', () => {
  const said = node([
    'scripts/test.mjs',
    'architectures-conformance',
    'datasets-conformance',
    'precisions-conformance',
    'searchers-conformance',
    'report-conformance',
    'metrics-measures',
    'costs-columns',
    'rooms',
  ]);
  for (const name of ['ends-max', 'notes from', 'bf16', 'plain, Flat, M varies', 'short: describes itself'])
    assert.ok(said.includes(name), name);
});

test('the searcher finds what exact finds', () => {
  const of = (searcher: string) => {
    const run = ['run', '--arch', 'dual-encoder', '--dataset', 'sample', '--searcher', searcher, '--json'];
    const tiny = ['train.epochs=0', 'latency.queries=0', 'model.scratch.layers=1', 'search.depth=10'];
    const set = [...tiny, 'measures=mrr@10'].flatMap((setting) => ['--set', setting]);
    const said = node(['scripts/bench.mjs', ...run, ...set]);
    return JSON.parse(said.slice(0, said.indexOf('\n}\n') + 2));
  };
  const [plain, exact] = [of('plain'), of('exact')];
  assert.equal(plain.device.searcher, 'plain');
  assert.deepEqual(plain.measures, exact.measures);
});

test('the cost is measured while a system answers, and is in the record and in reports', () => {
  const run = ['run', '--arch', 'bm25', '--dataset', 'sample', '--set', 'latency.queries=4'];
  bench(...run, '--set', 'latency.batchSizes=[]', '--out', 'costs');
  const markdown = bench('report', 'costs', '--format', 'markdown');
  assert.match(markdown, /\| switches a query \|/);
  // p99 is not, of four queries.
  assert.doesNotMatch(markdown.replaceAll('p99 is not measured', ''), /not measured/);
});

test('the system is planned, answers, is timed and recorded, and its hits are found again', () => {
  assert.match(
    bench('run', '--arch', 'first', '--dataset', 'sample', '--dry-run'),
    /^ {2}artifacts search$/m,
  );
  const [made, found] = [answeredByFirst(), answeredByFirst()];
  assert.deepEqual(found.measures, made.measures);
  // The relevant passages of the sample lie anywhere in it: 100 of 2,000 hold some of them.
  const { mean } = made.measures['recall@100'];
  assert.ok(mean > 0 && mean < 0.2, String(mean));
  assert.equal(made.latency.search.samplesMs.length, 4);
  assert.deepEqual([wereCached(made), wereCached(found)], [false, true]);
});

test('the dataset is read, searched, measured and reported', () => {
  assert.match(bench('dataset', 'info', 'notes', '--data', 'notes'), /2/);
  const run = ['run', '--arch', 'bm25', '--dataset', 'notes', '--set', 'latency.queries=0'];
  bench(...run, '--data', 'notes', '--set', 'measures=complete@10,mrr@10');
  assert.match(bench('report', '--format', 'short'), /^notes bm25 \S+ 1\.000$/m);
  assert.match(node(['scripts/bench.mjs', ...run], 2), /USAGE: notes needs --data DIR/);
});

test('what the dataset throws by mistake is told as its fault; a change of the system finds hits of its own', () => {
  const file = 'datasets/notes.ts';
  const code = skeletons.get(file)!;
  const broken = code.replace(
    'await assert',
    "if (folder !== '') throw new Error('not written yet');\n    await assert",
  );
  put(file, broken);
  const system = 'harness/systems/first.ts';
  put(system, skeletons.get(system)!.replace('(rank) => -rank', '(rank) => 1 - rank'));
  node(['scripts/build.mjs']);
  const said = node(['scripts/bench.mjs', 'dataset', 'info', 'notes', '--data', 'notes'], 2);
  assert.match(said, /error PLUGIN_FAILED: The plug-in datasets\/notes\.ts failed: not written yet/);
  assert.equal(wereCached(answeredByFirst()), false);
});
