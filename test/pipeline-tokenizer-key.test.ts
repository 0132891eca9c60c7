/** What decides the tokens decides the artifacts: a run is made anew where it changes, and its record says what it was. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { saveEncoder } from '../harness/model/checkpoint.js';
import { scratchEncoder } from '../harness/model/scratch.js';
import { silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { hashFile } from '../harness/store/hash.js';
import { sweep } from '../harness/sweep.js';
import { bertSpecials } from '../harness/text/bert-tokenizer.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-tokenizer-key-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

const tokens = [
  ...bertSpecials,
  ...'abcdefghijklmnopqrstuvwxyz',
  ...[...'abcdefghijklmnopqrstuvwxyz'].map((x) => `##${x}`),
];

test('vocab.txt with a tokenizer_config.json: case or accents changed, and nothing is taken from the cache', async () => {
  const model = path.join(root, 'model');
  const sizes = { layers: 2, dimensions: 8, heads: 1, intermediate: 8, maxTokens: 64, dropout: 0 };
  const { encoder, weights } = scratchEncoder({ ...sizes, vocabularySize: tokens.length }, 1);
  await saveEncoder(model, encoder, weights, { 'vocab.txt': `${tokens.join('\n')}\n` });
  const run = async (config: object): Promise<RunRecord> => {
    await writeFile(path.join(model, 'tokenizer_config.json'), JSON.stringify(config));
    let record: RunRecord | undefined;
    const request = tinyRequest(root, 'dual-encoder', 1, `model.name=${model}`);
    await sweep([request], silentProgress(), ({ record: made }) => {
      record = made;
    });
    assert.equal(record!.status, 'ok');
    return record!;
  };
  const madeAnew = ({ stages }: RunRecord) =>
    ['train', 'encode', 'queries', 'search'].map(
      (name) => stages.find((stage) => stage.name === name)?.execution.cached,
    );
  const first = await run({ do_lower_case: true });
  assert.deepEqual(madeAnew(first), [false, false, false, false]);
  assert.deepEqual(madeAnew(await run({ do_lower_case: true })), [true, true, true, true]);
  const hashes = [first.model!.tokenizer];
  for (const config of [{ do_lower_case: false }, { do_lower_case: true, strip_accents: false }]) {
    const changed = await run(config);
    assert.deepEqual(madeAnew(changed), [false, false, false, false], JSON.stringify(config));
    const file = changed.model!.files.find(({ name }) => name === 'tokenizer_config.json');
    assert.equal(file?.sha256, await hashFile(path.join(model, 'tokenizer_config.json')));
    hashes.push(changed.model!.tokenizer);
  }
  assert.equal(new Set(hashes).size, 3);
});
