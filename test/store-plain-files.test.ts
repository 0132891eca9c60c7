/** What is no file is refused and not waited at, wherever a person's folder may hold it: nobody may ever write to a pipe. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openBm25Index } from '../harness/index/bm25-index.js';
import { readIndexFacts } from '../harness/index/vector-index.js';
import { loadEncoder } from '../harness/model/checkpoint.js';
import { readRetrieverFacts } from '../harness/model/retriever-facts.js';
import { FileReader } from '../harness/model/sentence-reader.js';
import { readShardNames } from '../harness/model/tensor-source.js';
import { hashFile } from '../harness/store/hash.js';
import { textIfThere } from '../harness/store/text-file.js';
import { loadTokenizer } from '../harness/text/tokenizer-folder.js';
import { removeClosed } from './open-files.js';
import { inFixtures, root } from './places.js';
import { files } from './source-imports.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-pipes-'));
});
after(() => removeClosed(folder));

const readers: Readonly<Record<string, readonly [string, (at: string) => Promise<unknown>]>> = {
  "a checkpoint's weights": ['model.safetensors', loadEncoder],
  "a checkpoint's config.json": ['config.json', loadEncoder],
  "a checkpoint's list of weight files": [
    'model.safetensors.index.json',
    (at) => readShardNames(path.join(at, 'model.safetensors.index.json')),
  ],
  'a tokenizer': ['tokenizer.json', loadTokenizer],
  'what stands beside a tokenizer': ['special_tokens_map.json', loadTokenizer],
  'a vocabulary': ['vocab.txt', loadTokenizer],
  'a published model': ['modules.json', (at) => new FileReader(at).json('modules.json')],
  'a trained retriever': ['retriever.json', readRetrieverFacts],
  'an index': ['index.json', readIndexFacts],
  'an index of terms': ['index.json', (at) => openBm25Index(at, 1e6)],
  'what is hashed': ['data.bin', (at) => hashFile(path.join(at, 'data.bin'))],
  'a file that may not be there': ['notes.txt', (at) => textIfThere(path.join(at, 'notes.txt'))],
};

for (const [name, [file, read]] of Object.entries(readers)) {
  test(`${name}: a pipe is refused`, { skip: process.platform === 'win32' }, async () => {
    const at = await mkdtemp(path.join(folder, 'folder-'));
    await cp(inFixtures('model/bert-gelu'), at, { recursive: true });
    await rm(path.join(at, file), { force: true });
    execFileSync('mkfifo', [path.join(at, file)]);
    await assert.rejects(read(at), {
      code: 'PATH_INVALID',
      message: `${path.join(at, file)} is not a file.`,
    });
  });
}

/** Who opens files itself to read, and not by `store/plain-file.ts`. */
const opensItself: Readonly<Record<string, string>> = {
  'harness/store/plain-file.ts': 'the way itself',
  'harness/cli/doctor/machine.ts': 'a file of the program',
  'harness/config/schema.ts': 'a file of the program',
  'harness/program/code.ts': 'a file of the program',
  'harness/program/git.ts': 'a file of the program',
  'harness/record/validate.ts': 'a file of the program',
  'harness/program/web-assembly.ts': 'a file of the program',
  'reports/html/explore.ts': 'a file of the program',
  'harness/program/compute-class.ts': 'a file of the system',
  'harness/store/owner.ts': 'a file of the system',
  'harness/tensor/onnx/gpu-search.ts': 'a file of the system',
  'harness/store/archive-entries.ts': 'a file that it makes',
  'harness/store/atomic.ts': 'a file that it makes',
  'harness/store/fence.ts': 'a file that it makes',
  'harness/store/lock.ts': 'a file that it makes',
  'harness/store/renewal.ts': 'a file that it makes',
  'harness/store/running.ts': 'a file that it makes',
  'harness/store/transfer.ts': 'a file that it makes',
  'harness/store/writable.ts': 'a file that it makes',
  'harness/store/remote/bucket.ts': 'a file of an artifact that was just checked',
  'harness/store/remote/publish.ts': 'a file of an artifact that was just checked',
  'harness/store/remote/fetch.ts': 'a file that it makes',
  'harness/pipeline/given-arrays.ts': 'a file that it makes',
  'harness/pipeline/distractors/passage-file.ts': 'a file that it makes',
  'harness/pipeline/page-cache.ts': 'what it has seen to be a file, of which it reads nothing',
  'harness/program/energy-counters.ts': 'a file of the system',
  'harness/program/process-memory.ts': 'a file of the system',
  'harness/tasks/slurm.ts': 'a file that it has a job of its own make',
  'harness/searchers/faiss/parameter-file.ts': 'a file that it makes',
  'harness/store/archive-formats.ts': 'opened by archive.ts before',
  'harness/interchange/text-blocks.ts': 'given what openPlain opened',
  'harness/config/sources.ts': 'asked before what it is, and told by another hint',
  'harness/index/bm25-segments.ts': 'asked before by assertPlain',
  'harness/interchange/prices.ts': 'asked before by assertPlain',
  'harness/searchers/exact/code-file.ts': 'asked before by assertPlain',
  'harness/reproduction/files.ts': 'asked before by assertPlain',
};

test('files are opened to be read by store/plain-file.ts, or there is a reason', () => {
  const found = files.filter((file) => {
    const source = readFileSync(path.join(root, file), 'utf8');
    const imports = source.matchAll(/import\s*\{([^}]*)\}\s*from 'node:fs(?:\/promises)?'/g);
    const names = [...imports].flatMap(([, list]) => list!.split(',').map((name) => name.trim()));
    return names.some((name) => /^(open|openSync|readFile|readFileSync|createReadStream)$/.test(name));
  });
  assert.deepEqual(
    found.filter((file) => !file.startsWith('harness/perf/')).sort(),
    Object.keys(opensItself).sort(),
  );
});
