/** Bytes of models and of whole pipelines are those on the disk. */
import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { bytesOnDisk } from '../harness/store/inventory.js';
import { run } from '../harness/sweep.js';
import { givenFiles } from './given-folder.js';
import { temporaryFolder } from './made-index.js';
import { prepare } from './made-reports.js';
import { sentenceFolder } from './sentence-folder.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

test('a pipeline is its index, its model and its tokenizer, of every component', async (t) => {
  const root = await temporaryFolder(t);
  await writeTinyCollection(path.join(root, 'data'));
  const row = async (architecture: string) => {
    const record = await run(tinyRequest(root, architecture, 1, 'latency.queries=0'), silentProgress());
    const { cells, notMeasured } = (await prepare([{ file: 'a', record }])).sections[0]!.systems[0]!;
    const [model, tokenizer, pipeline] = ['model', 'tokenizer', 'pipeline'].map(
      (id) => cells[`${id}-bytes`]?.value,
    );
    return { record, model, tokenizer, pipeline, notMeasured };
  };
  const indexOf = ({ index }: RunRecord) => index!.sizeBytes.total;

  const trained = await row('mlr-sc');
  const { key } = trained.record.stages.find(({ name }) => name === 'train')!;
  const folder = path.join(root, 'cache', 'checkpoints', key!);
  const onDisk = (await bytesOnDisk(folder)) - statSync(path.join(folder, 'manifest.json')).size;
  assert.equal(trained.model! + trained.tokenizer!, onDisk);
  assert.ok(trained.tokenizer! > 0);
  assert.equal(trained.pipeline, onDisk + indexOf(trained.record));

  const published = await sentenceFolder('mean and cosine');
  const taken = await row(`pretrained:${published}`);
  const files = taken.record.model!.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  assert.equal(taken.model! + taken.tokenizer!, files);

  const sparse = await row('bm25');
  assert.deepEqual([sparse.model, sparse.pipeline], [undefined, indexOf(sparse.record)]);
  assert.equal(sparse.notMeasured?.['model-bytes'], undefined);

  const fused = await row('fuse:bm25+mlr-sc');
  assert.equal(fused.model, trained.model);
  assert.equal(fused.pipeline, trained.pipeline! + sparse.pipeline!);

  const given = path.join(root, 'given');
  mkdirSync(given);
  for (const [name, content] of Object.entries(givenFiles())) writeFileSync(path.join(given, name), content);
  const elsewhere = await row(`vectors:${given}`);
  assert.equal(elsewhere.pipeline, undefined);
  assert.equal(elsewhere.notMeasured!['pipeline-bytes'], 'the model is not on this machine');

  const { sizeBytes: _, ...older } = trained.record.model!;
  const record = { ...trained.record, model: older };
  const { systems, notes } = (await prepare([{ file: 'a', record }])).sections[0]!;
  assert.equal(systems[0]!.notMeasured!['model-bytes'], 'the record does not say');
  assert.ok(notes.every((note) => !note.includes('the record does not say')));
});
