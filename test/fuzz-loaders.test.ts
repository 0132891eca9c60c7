/** Every reader of the program stands under the fuzzer: what runs when the loaders read their inputs is looked at. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { allLoaders } from './fuzz/loader.js';
import { outcomeOf } from './fuzz/outcome.js';
import { Scratch } from './fuzz/scratch.js';
import { root } from './places.js';

const folder = mkdtempSync(path.join(tmpdir(), 'strata-fuzz-loaders-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Modules that read bytes, and no loader runs: why. */
const notFuzzed: Readonly<Record<string, string>> = {
  'harness/cli.ts': 'reads package.json of the program',
  'harness/cli/doctor/machine.ts': 'reads package.json of the program',
  'harness/cli/task.ts': 'reads what the worker that started it hands over',
  'harness/cli/evaluate-qrels.ts': 'copies a value that it has made',
  'harness/index/bm25-segments.ts': 'reads what the same process has just written',
  'harness/index/impact-writer.ts': 'reads what the same process has just written',
  'harness/program/code.ts': 'reads files of the build',
  'harness/program/compute-class.ts': 'reads what the system says of its processor',
  'harness/program/energy-counters.ts': 'reads what the system says of its energy',
  'harness/program/process-memory.ts': 'reads what the system says of the process',
  'harness/pipeline/page-cache.ts': 'opens files and reads nothing of them',
  'harness/search/ordered-build.ts': 'reads the order of the process that started it',
  'harness/searchers/faiss/built.ts':
    'FAISS reads an index that was built here, after its hash, and ends the process on other bytes',
  'harness/searchers/faiss/trial-process.ts':
    'the process in which FAISS may end on bytes that a user brings',
  'harness/text/published-tokenizer.ts': 'reads texts of a tokenizer that has been loaded',
  'harness/store/remote/bucket.ts': 'sends files as they are',
  'harness/store/remote/publish.ts': 'reads a manifest that this cache has just checked',
  'harness/tasks/child.ts': 'reads what a process of its own prints',
  'harness/tasks/slurm.ts': 'reads the exit code that a job of its own left',
  'reports/html/explore.ts': 'reads a source of the program',
  'harness/tensor/onnx/gpu-search.ts': 'reads what the system says of its graphics cards',
  'harness/tensor/onnx/recorder.ts': 'reads tensors in memory',
};

/** How bytes come in: from the disk, or by one of the functions that read it for others. */
const reading =
  /\b(readFile|readFileSync|\breadSync|createReadStream|openToRead|readFully|textIfThere|textBlocks|fileBytes|textLines|jsonLines|jsonArray|quotedRows|eachLine|JSON\.parse|parseJson)\(|\bIndex(FlatIP)?\.read\(|\bopen(Sync)?\([^)]*'r\+?'\)|SafetensorsFile\.open\(/;

/** Measurements read what they have made themselves. */
const measurements = 'harness/perf/';

function readers(): string[] {
  return ['harness', 'datasets', 'architectures', 'reports'].flatMap((top) =>
    readdirSync(path.join(root, top), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
      .filter((file) => !file.startsWith(measurements))
      .filter((file) =>
        reading.test(readFileSync(path.join(root, file), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')),
      ),
  );
}

test('each loader takes its first input, refuses no other with a fault, and gives the same at each call', async () => {
  const loaders = await allLoaders();
  assert.equal(new Set(loaders.map(({ name }) => name)).size, loaders.length, 'a name twice');
  for (const loader of loaders) {
    const inputs = await loader.inputs();
    assert.deepEqual(await loader.inputs(), inputs, `${loader.name}: other inputs`);
    const scratch = new Scratch(path.join(folder, loader.name));
    for (const [i, files] of inputs.entries()) {
      const outcome = await outcomeOf(loader, scratch.lay(i, files, true));
      assert.ok(
        !('kind' in outcome),
        `${loader.name}, input ${i}: ${'error' in outcome && String(outcome.error)}`,
      );
      assert.ok(
        i > 0 || 'accepted' in outcome,
        `${loader.name} refuses its first input: ${JSON.stringify(outcome)}`,
      );
      assert.equal(scratch.strayed(i, loader.writes !== true), undefined);
    }
  }
});

test('every module that reads bytes is run by a loader, or has a reason why not', async () => {
  const built = path.resolve(import.meta.dirname, '..');
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  const laid: [Awaited<ReturnType<typeof allLoaders>>[number], string][] = [];
  for (const loader of await allLoaders()) {
    const scratch = new Scratch(path.join(folder, 'covered', loader.name));
    for (const [i, files] of (await loader.inputs()).entries())
      laid.push([loader, scratch.lay(i, files, true)]);
  }
  // From here on, so that what writes the inputs does not count.
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  for (const [loader, place] of laid) await outcomeOf(loader, place);
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  const run = new Set(
    result
      .filter(({ url }) => url.startsWith('file:'))
      .filter(({ functions }) =>
        functions.some(({ functionName, ranges }) => functionName !== '' && ranges[0]!.count > 0),
      )
      .map(({ url }) =>
        path.relative(built, fileURLToPath(url)).split(path.sep).join('/').replace(/\.js$/, '.ts'),
      ),
  );
  const all = readers();
  assert.ok(all.length > 40, `${all.length} readers`);
  assert.deepEqual(
    all.filter((file) => !run.has(file) && notFuzzed[file] === undefined),
    [],
    'modules that read bytes and stand under no loader',
  );
  assert.deepEqual(
    Object.keys(notFuzzed).filter((file) => run.has(file) || !all.includes(file)),
    [],
    'reasons that are not needed any more',
  );
});
