/** Collections that grow: figures are those of a dataset in which the passages stand by hand, and what is shared is made once. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, test } from 'node:test';
import { requestsOf } from '../harness/cli/sweep-request.js';
import { trainOnly } from '../harness/pipeline/one-stage.js';
import { assertRecord } from '../harness/record/validate.js';
import type { RunRecord } from '../harness/record.js';
import { Store } from '../harness/store/store.js';
import { run, sweep } from '../harness/sweep.js';
import { checkedProgress } from './checked-progress.js';
import { byHand, grown, hitsOf, inRoot, ran, request, stageOf } from './made-distractors.js';

let checkpoint: string;
before(async () => {
  const trained = await trainOnly(request('dual-encoder'), checkedProgress(), new Store(inRoot('cache')));
  checkpoint = trained.checkpoint;
});

const started = (architecture: string) => (architecture === 'bm25' ? {} : { init: checkpoint });

for (const architecture of ['bm25', 'dual-encoder']) {
  test(`${architecture}: figures and hits are those of a dataset in which the passages stand by hand`, async () => {
    const begun = started(architecture);
    const plain = await ran(architecture, begun);
    const figures: string[] = [JSON.stringify(plain.measures)];
    for (const count of [10, 44]) {
      const record = await ran(architecture, { ...begun, distractors: grown(count, 44) });
      assertRecord(JSON.parse(JSON.stringify(record)), 'grown');
      assert.equal(record.dataset.name, `squad + ${count} of beir:other`);
      assert.equal(record.dataset.passageCount, 44 + count);
      const hand = await run(
        { ...request(architecture), ...begun, data: await byHand(count) },
        checkedProgress(),
      );
      assert.equal(hand.dataset.passageCount, 44 + count);
      assert.deepEqual(record.measures, hand.measures);
      // A shard that is cut was encoded in other batches.
      if (architecture === 'bm25' || count === 44) assert.deepEqual(await hitsOf(record), await hitsOf(hand));
      figures.push(JSON.stringify(record.measures));
    }
    assert.equal(new Set(figures).size, 3, 'more distractors are to make it harder');
  });
}

for (const architecture of ['fuse:bm25+dual-encoder', 'rerank:bm25>dual-encoder']) {
  test(`${architecture} finds distractors too`, async () => {
    const asked = { ...request(architecture), init: checkpoint };
    const record = await run({ ...asked, distractors: grown(44, 44) }, checkedProgress());
    const hand = await run({ ...asked, data: await byHand(44) }, checkedProgress());
    assert.deepEqual(record.measures, hand.measures);
    assert.deepEqual(await hitsOf(record), await hitsOf(hand));
    assert.match(JSON.stringify(await hitsOf(record)), /added/);
  });
}

test('what collections share is made once: training, queries, the base, and the distractors of the largest', async () => {
  const plain = await ran('dual-encoder');
  const few = await ran('dual-encoder', { distractors: grown(10, 44) });
  const many = await ran('dual-encoder', { distractors: grown(44, 44) });
  for (const record of [few, many]) {
    for (const name of ['train', 'encode', 'queries'])
      assert.equal(stageOf(record, name).key, stageOf(plain, name).key, name);
  }
  assert.equal(stageOf(few, 'encode distractors').key, stageOf(many, 'encode distractors').key);
  assert.notEqual(stageOf(few, 'join shards').key, stageOf(many, 'join shards').key);
  // The shard that is whole is the same file.
  const facts = async (record: RunRecord, name: string) =>
    JSON.parse(
      await readFile(inRoot('cache', 'shards', stageOf(record, name).key!, 'shard-00000.json'), 'utf8'),
    ) as { sha256: unknown };
  assert.deepEqual((await facts(few, 'join shards')).sha256, (await facts(plain, 'encode')).sha256);
  assert.equal(few.index!.shards, 2);
  assert.equal(few.index!.rows, 54);
});

test('a sweep that keeps its records alone holds what larger collections still need, and nothing in the end', async () => {
  const cache = inRoot('kept');
  const kept = (count: number) => ({
    ...request('dual-encoder', ['keep=records', `cache=${cache}`]),
    ...{ init: checkpoint, distractors: grown(count, 44) },
  });
  const { records, failures } = await sweep([kept(10), kept(44)], checkedProgress());
  assert.deepEqual(failures, []);
  const [few, many] = records;
  assert.equal(stageOf(few!, 'encode').execution.cached, false);
  for (const name of ['train', 'encode', 'encode distractors', 'queries'])
    assert.equal(stageOf(many!, name).execution.cached, true, name);
  for (const kind of ['checkpoints', 'shards', 'queries', 'runs'])
    assert.deepEqual(await readdir(path.join(cache, kind)), [], kind);
});

test('no distractors of its own: what the test queries need; all of them: the figures of the whole dataset', async () => {
  const none = await ran('bm25', { distractors: grown(0, 36, true) });
  const all = await ran('bm25', { distractors: grown(36, 36, true) });
  assert.equal(none.dataset.passageCount, 8);
  assert.equal(none.dataset.name, 'squad + 0 of its own');
  assert.equal(none.dataset.distractors!.from, null);
  assert.equal(all.dataset.passageCount, 44);
  const plain = await ran('bm25');
  assert.deepEqual(all.measures, plain.measures);
  assert.ok(none.measures['mrr@10']!.mean > plain.measures['mrr@10']!.mean);
  const dense = await ran('dual-encoder', { distractors: grown(0, 36, true) });
  assert.equal(dense.index!.rows, 8);
  assert.equal(stageOf(dense, 'train').key, stageOf(await ran('dual-encoder'), 'train').key);
});

test('--distractors 0 of another collection asks for the dataset as it is', async () => {
  const values = { arch: 'bm25', dataset: 'squad', data: [inRoot('squad')], distractors: '0,10,44' };
  const from = { 'distractors-from': `beir=${inRoot('other')}` };
  const requests = await requestsOf({ ...values, ...from });
  assert.deepEqual(
    requests.map(({ distractors }) => distractors),
    [undefined, grown(10, 44), grown(44, 44)],
  );
  const { distractors: _, ...without } = values;
  assert.deepEqual(requests.slice(0, 1), await requestsOf(without));
  const own = await requestsOf(values);
  assert.deepEqual(
    own.map(({ distractors }) => distractors),
    [grown(0, 44, true), grown(10, 44, true), grown(44, 44, true)],
  );
});

test('vectors of a passage that vary in number are cut where the distractors end', async () => {
  const set = ['arch.layers=last'];
  const cached = { ...request('colbert-cls', set), distractors: grown(10, 44) };
  const record = await run(cached, checkedProgress());
  const whole = await run({ ...cached, distractors: grown(44, 44) }, checkedProgress());
  assert.ok(record.index!.rows > 54 && record.index!.rows < whole.index!.rows);
  const answers = ({ measures }: RunRecord) => measures['mrr@10']!.mean;
  assert.ok(answers(record) >= answers(whole));
});
