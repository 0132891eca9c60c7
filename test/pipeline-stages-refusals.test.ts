/** What the commands of the stages refuse, and what they tell. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { EncodedIndex, TrainedCheckpoint } from '../harness/pipeline/one-stage.js';
import type { RunRecord } from '../harness/record.js';
import { bench, json, type StageCommand, set, stageRoot } from './stage-commands.js';

let root: string;
const inRoot = (...names: string[]) => path.join(root, ...names);
const data = () => ['--dataset', 'squad', '--data', inRoot('data')];

before(async () => {
  root = await stageRoot();
});
after(() => rm(root, { recursive: true, force: true }));

test('what a stage is given has to belong together', async () => {
  const cache = ['--cache', inRoot('parts')];
  const trained = async (...more: string[]) =>
    (await json<TrainedCheckpoint>('train', ...data(), ...set, ...cache, '--set', 'train.epochs=0', ...more))
      .checkpoint;
  const checkpoint = await trained('--arch', 'mlr');
  const other = await trained('--arch', 'mlr', '--seeds', '2');
  const { index } = await json<EncodedIndex>('encode', '--checkpoint', checkpoint, ...data(), ...cache);
  const refused = (code: string, message: RegExp, name: StageCommand, ...argv: string[]) =>
    assert.rejects(bench(name, ...argv, ...data(), ...cache), { code, message }, argv.join(' '));

  // A checkpoint of another architecture, of none, and one that is not there.
  await refused(
    'CHECKPOINT_INVALID',
    /is a checkpoint of the architecture mlr, and mlr-sc was asked for/,
    ...(['encode', '--checkpoint', checkpoint, '--arch', 'mlr-sc'] as const),
  );
  await refused('CHECKPOINT_INVALID', /holds no trained retriever/, 'encode', '--checkpoint', inRoot('data'));
  await refused('PATH_INVALID', /there is no such folder/, 'encode', '--checkpoint', inRoot('nowhere'));
  // An index of other weights, and a folder that is none.
  await refused(
    'CONFIG_INVALID',
    /was made with other weights than those in/,
    ...(['search', '--checkpoint', other, '--index', index] as const),
  );
  await refused(
    'PATH_INVALID',
    /holds no finished index/,
    ...(['mine', '--checkpoint', checkpoint, '--index', inRoot('data')] as const),
  );
  await refused(
    'UNKNOWN_NAME',
    /no split 'tset'/,
    ...(['search', '--checkpoint', checkpoint, '--index', index, '--split', 'tset'] as const),
  );
  // Where training starts, and what it draws from.
  await refused(
    'USAGE',
    /--init and --model both/,
    ...(['train', '--arch', 'mlr', '--init', checkpoint, '--model', 'scratch'] as const),
  );
  await refused(
    'PATH_INVALID',
    /--negatives nowhere\.tsv cannot be used: there is no such file/,
    ...(['train', '--arch', 'mlr', '--negatives', 'bm25,nowhere.tsv', ...set] as const),
  );
  await refused(
    'CONFIG_INVALID',
    /squad ships no hard negatives/,
    'train',
    '--arch',
    'mlr',
    '--negatives',
    'dataset',
  );
  await refused('USAGE', /bm25 needs no training/, 'train', '--arch', 'bm25');
  await refused('USAGE', /play no part in bm25/, 'run', '--arch', 'bm25', '--init', checkpoint);
  // More vectors than a passage can have tokens, layers that the model does not have.
  await refused(
    'CONFIG_INVALID',
    /arch\.vectors: 25 is more than the 24 vectors that the longest passage can have/,
    ...(['train', '--arch', 'me-bert', ...set, '--set', 'arch.vectors=25'] as const),
  );
  await refused(
    'CONFIG_INVALID',
    /arch\.layers: \[1, 3\] holds 3; the encoder has the layers 1 to 2\n.*lacks the last layer, 2/,
    ...(['train', '--arch', 'mlr', ...set, '--set', 'arch.layers=1,3'] as const),
  );
  // Where the hits are to be written, and the mined examples.
  const runs = () => readdir(inRoot('parts', 'runs')).catch(() => []);
  const before = await runs();
  const inData = inRoot('data', 'none');
  await writeFile(inData, '');
  await refused(
    'PATH_INVALID',
    /a file is in its way/,
    ...(['search', '--arch', 'bm25', '--run', path.join(inData, 'x.run')] as const),
  );
  await refused(
    'PATH_INVALID',
    /a folder has that name/,
    ...(['search', '--checkpoint', checkpoint, '--index', index, '--run', inRoot('data')] as const),
  );
  await refused(
    'PATH_INVALID',
    /a folder has that name/,
    ...(['mine', '--with', 'bm25', '--out', inRoot('data')] as const),
  );
  assert.deepEqual(await runs(), before, 'nothing was searched for them');
  await rm(inData);
  // What has no part in who searches or mines.
  await refused(
    'USAGE',
    /--set train\.epochs plays no part in bm25/,
    ...(['search', '--arch', 'bm25', '--set', 'train.epochs=1'] as const),
  );
  await refused(
    'USAGE',
    /--searcher plays no part in bm25/,
    ...(['mine', '--with', 'bm25', '--searcher', 'exact'] as const),
  );
  await refused(
    'USAGE',
    /--set fuse\.constant plays no part in a checkpoint/,
    ...(['encode', '--checkpoint', checkpoint, '--set', 'fuse.constant=9'] as const),
  );
  await refused('USAGE', /--fresh and --repair both/, 'train', '--arch', 'mlr', '--fresh', '--repair');
  // Who mines.
  await refused('USAGE', /Neither --checkpoint nor --arch was given/, 'mine');
  await refused('USAGE', /both were given/, 'mine', '--with', 'bm25', '--checkpoint', checkpoint);
  await refused('UNKNOWN_NAME', /no miner 'bm26'/, 'mine', '--with', 'bm26');
  await refused('USAGE', /an index of its own/, 'mine', '--with', 'bm25', '--index', index);
  await refused(
    'USAGE',
    /--count needs a whole number from 1, not '0'/,
    'mine',
    '--with',
    'bm25',
    '--count',
    '0',
  );
});

test('BM25 mines to a file, as many as are asked for', async () => {
  const out = inRoot('bm25.tsv');
  const printed = await bench(
    'mine',
    ...['--with', 'bm25', ...data(), '--cache', inRoot('parts'), '--count', '3', '--out', out],
  );
  assert.equal(printed.trimEnd().split('\n').at(-1), out);
  const lines = (await readFile(out, 'utf8')).trimEnd().split('\n');
  assert.ok(lines.length > 50);
  for (const line of lines) assert.match(line, /^\S+\t([^,\s]+(,[^,\s]+){0,2})?$/);
});

test('a run measured against a dataset: strangers and gaps are told', async () => {
  const file = inRoot('odd.run');
  await writeFile(
    file,
    ['towns-0-0 Q0 unknown 1 9.5 odd', 'towns-0-0 Q0 birds-1 2 8 odd', 'other Q0 x 1 1 odd\n'].join('\n'),
  );
  const record = await json<RunRecord>('evaluate', '--run', file, ...data(), '--cache', inRoot('parts'));
  assert.equal(record.queryIds.length, 16);
  assert.equal(record.arch.name, 'odd');
  assert.ok(record.warnings.includes('1 query of the run is not a test query and is left out'));
  assert.ok(record.warnings.some((warning) => /passages of the run are not in squad/.test(warning)));
  const none = inRoot('none.run');
  await writeFile(none, 'other Q0 x 1 1 odd\n');
  const refused = (code: string, message: RegExp, ...argv: string[]) =>
    assert.rejects(bench('evaluate', ...argv), { code, message });
  await refused('DATA_INVALID', /hits for none of the 16 test queries of squad/, '--run', none, ...data());
  await refused('USAGE', /neither was given/, '--run', file);
  await refused('USAGE', /both were given/, '--run', file, '--qrels', file, ...data());
  await refused(
    'USAGE',
    /--ties can only be given with --qrels/,
    '--run',
    file,
    ...data(),
    '--ties',
    'as-ranked',
  );
  await refused(
    'USAGE',
    /--split can only be given with --dataset/,
    '--run',
    file,
    '--qrels',
    file,
    '--split',
    'dev',
  );
});

test('nothing to train on is told before anything is encoded', async () => {
  const folder = inRoot('untrained');
  await mkdir(path.join(folder, 'qrels'), { recursive: true });
  const line = (id: string, text: string) => `${JSON.stringify({ _id: id, title: '', text })}\n`;
  await writeFile(path.join(folder, 'corpus.jsonl'), line('d1', 'a bird') + line('d2', 'a stone'));
  await writeFile(path.join(folder, 'queries.jsonl'), line('q1', 'which bird'));
  await writeFile(path.join(folder, 'qrels', 'test.tsv'), 'query-id\tcorpus-id\tscore\nq1\td1\t1\n');
  const told = [
    '--arch',
    'dual-encoder',
    '--dataset',
    'beir',
    '--data',
    folder,
    ...set,
    '--cache',
    inRoot('parts'),
  ];
  for (const name of ['train', 'run'] as const) {
    const out = name === 'run' ? ['--out', inRoot('out')] : [];
    await assert.rejects(bench(name, ...told, ...out), {
      code: 'DATA_INVALID',
      message: /beir:untrained has no training query with a positive/,
    });
  }
  // Nothing of the collection shares a word with the query, so BM25 finds no negatives.
  await writeFile(path.join(folder, 'qrels', 'train.tsv'), 'query-id\tcorpus-id\tscore\nq2\td2\t1\n');
  await writeFile(path.join(folder, 'queries.jsonl'), line('q1', 'which bird') + line('q2', 'pebbles'));
  await assert.rejects(bench('train', ...told), {
    code: 'DATA_INVALID',
    message: /beir:untrained has 1 training queries with a positive and none that also has a hard negative/,
    hint: /train\.negatives=0/,
  });
  await bench('train', ...told, '--set', 'train.negatives=0', '--set', 'train.epochs=1');
});
