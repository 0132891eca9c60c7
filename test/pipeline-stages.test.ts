/** The stages one at a time, as commands, beside the run that does all of them. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command as encode } from '../harness/cli/encode.js';
import { command as evaluate } from '../harness/cli/evaluate.js';
import { command as mine } from '../harness/cli/mine.js';
import { command as run } from '../harness/cli/run.js';
import { command as search } from '../harness/cli/search.js';
import { command as train } from '../harness/cli/train.js';
import type { EncodedIndex, SearchedRun, TrainedCheckpoint } from '../harness/pipeline/one-stage.js';
import type { RunRecord } from '../harness/record.js';
import { tinySettings, writeMadeSquad } from './made-squad.js';

const commands = { run, train, encode, search, evaluate, mine };

let root: string;
const inRoot = (...names: string[]) => path.join(root, ...names);
const data = () => ['--dataset', 'squad', '--data', inRoot('data')];
const set = tinySettings.flatMap((setting) => ['--set', setting]);

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-stages-'));
  await mkdir(inRoot('data'));
  await writeMadeSquad(inRoot('data'));
});
after(() => rm(root, { recursive: true, force: true }));

async function bench(name: keyof typeof commands, ...argv: string[]): Promise<string> {
  let printed = '';
  const code = await execute(name, commands[name], argv, (text) => {
    printed += text;
  });
  assert.equal(code, 0);
  return printed;
}

const json = async <T>(name: keyof typeof commands, ...argv: string[]): Promise<T> =>
  JSON.parse(await bench(name, ...argv, '--json')) as T;

/** Files below a folder that hold vectors, weights, ids or hits, but no times. */
async function bytesBelow(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && !/^(manifest\.json|steps\.jsonl)$/.test(entry.name)) {
      found.set(path.relative(folder, file), (await readFile(file)).toString('base64'));
    }
  }
  return found;
}

test('train, mine, train again, encode, search and evaluate leave the bytes of a run in two stages', async () => {
  const whole = await json<RunRecord>(
    'run',
    ...['--arch', 'mlr-sc', '--stages', '2', ...data(), ...set],
    ...['--cache', inRoot('whole'), '--out', inRoot('whole-out')],
  );

  const cache = ['--cache', inRoot('parts')];
  const first = await bench('train', '--arch', 'mlr-sc', ...data(), ...set, ...cache);
  const firstFolder = first.trimEnd().split('\n').at(-1)!;
  const mined = inRoot('mined.tsv.gz');
  await bench('mine', '--checkpoint', firstFolder, ...data(), ...cache, ...set, '--out', mined);
  const second = await json<TrainedCheckpoint>(
    'train',
    ...['--arch', 'mlr-sc', ...data(), ...set, ...cache],
    ...['--init', firstFolder, '--negatives', `bm25,${mined}`],
    ...['--set', 'train.epochs=1', '--set', 'train.negativePool=50'],
  );
  const { checkpoint } = second;
  const { index } = await json<EncodedIndex>(
    'encode',
    '--checkpoint',
    checkpoint,
    ...data(),
    ...set,
    ...cache,
  );
  const found = await json<SearchedRun>(
    'search',
    ...['--checkpoint', checkpoint, '--index', index, ...data(), ...set, ...cache, '--out', inRoot('out')],
  );

  for (const kind of ['models', 'checkpoints', 'indexes', 'negatives', 'shards', 'runs']) {
    const [apart, together] = [
      await bytesBelow(inRoot('parts', kind)),
      await bytesBelow(inRoot('whole', kind)),
    ];
    assert.ok(apart.size > 0, kind);
    // No deepEqual: its message would be the bytes.
    assert.deepEqual([...apart.keys()].sort(), [...together.keys()].sort());
    for (const [file, bytes] of apart) assert.ok(together.get(file) === bytes, `${kind}/${file}`);
  }
  assert.equal(found.sha256, whole.run!.sha256);
  // A run that is given the same start takes all of it from the cache.
  const taken = await json<RunRecord>(
    'run',
    ...['--arch', 'mlr-sc', ...data(), ...set, ...cache, '--out', inRoot('out')],
    ...['--init', firstFolder, '--negatives', `bm25,${mined}`],
    ...['--set', 'train.epochs=1', '--set', 'train.negativePool=50'],
  );
  assert.deepEqual(
    taken.stages.filter(({ key }) => key !== null).map(({ name, execution }) => [name, execution.cached]),
    ['train', 'encode', 'search'].map((name) => [name, true]),
  );
  assert.equal(taken.run!.sha256, whole.run!.sha256);
  assert.equal(taken.training!.init!.architecture, 'mlr-sc');
  assert.deepEqual(
    second.training.negatives!.map(({ name }) => name),
    ['bm25', 'mined.tsv.gz'],
  );

  // As in the paper, a second stage may begin with the model again, and draw from the mined negatives alone.
  const again = await json<RunRecord>(
    'run',
    ...['--arch', 'mlr-sc', '--stages', '2', ...data(), ...set, ...cache, '--out', inRoot('again-out')],
    ...['--set', 'stage2.init=model', '--set', 'stage2.negatives=mined'],
  );
  const { init, negatives, firstStage } = again.training!;
  assert.deepEqual([init, negatives!.map(({ name }) => name)], [undefined, ['negatives.tsv.gz']]);
  assert.deepEqual(
    firstStage!.epochs.map(({ loss }) => loss),
    whole.training!.firstStage!.epochs.map(({ loss }) => loss),
  );
  assert.equal(whole.training!.init!.architecture, 'mlr-sc');
  assert.notEqual(again.run!.sha256, whole.run!.sha256);

  const evaluated = await json<RunRecord>(
    'evaluate',
    ...['--run', found.run, ...data(), '--measure', 'answer@5,success@5,mrr@10', ...cache],
  );
  assert.deepEqual(evaluated.queryIds, whole.queryIds);
  assert.deepEqual(evaluated.measures, whole.measures);
  assert.deepEqual(evaluated.dataset, whole.dataset);
});

test('what a stage is given has to belong together', async () => {
  const cache = ['--cache', inRoot('parts')];
  const trained = async (...more: string[]) =>
    (await json<TrainedCheckpoint>('train', ...data(), ...set, ...cache, '--set', 'train.epochs=0', ...more))
      .checkpoint;
  const checkpoint = await trained('--arch', 'mlr');
  const other = await trained('--arch', 'mlr', '--seeds', '2');
  const { index } = await json<EncodedIndex>('encode', '--checkpoint', checkpoint, ...data(), ...cache);
  const refused = (code: string, message: RegExp, name: keyof typeof commands, ...argv: string[]) =>
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
  // Who mines.
  await refused('USAGE', /neither was given/, 'mine');
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
  assert.ok(record.warnings.includes('1 queries of the run are not test queries and are left out'));
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
