/** A run killed at every kind of place and started again ends with the bytes of one that was left alone. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type RunRecord, withoutTimes } from '../harness/record.js';
import { tinySettings, writeMadeSquad } from './made-squad.js';
import { cli } from './places.js';

/**
 * Every file comes to be by a rename, so this counts what a run does on disk: `before FILE` the whole of it lies under a
 * temporary name, `after FILE` it is there. The process kills itself at the place that matches, which leaves it no
 * moment to put anything in order.
 */
const killer = `
  import fs from 'node:fs/promises';
  import { syncBuiltinESMExports } from 'node:module';
  const at = new RegExp(process.env.STRATA_KILL_AT);
  const place = (when, file) => {
    if (at.test(when + ' ' + file)) process.kill(process.pid, 'SIGKILL');
  };
  const { rename } = fs;
  fs.rename = async (from, to) => {
    place('before', to);
    await rename(from, to);
    place('after', to);
  };
  syncBuiltinESMExports();`;

/** In the order in which a run comes to them; a text is waited for on stderr. */
const places: readonly (RegExp | string)[] = [
  // The model with random weights; the negatives of BM25, whose index is there by then.
  /^before .*models\/.*manifest\.json$/,
  /^after .*negatives\/.*negatives\.tsv\.gz$/,
  // Amid the first step, wherever that is.
  'train: 10 steps',
  // A state whose weights are there and whose facts are not; the best epoch so far, which no state knows of.
  /^after .*state-2\.safetensors$/,
  /^after .*best-0\.safetensors$/,
  // An encoder half-written, in a folder inside; all but done.
  /^before .*checkpoints\/.*model\.safetensors$/,
  /^before .*checkpoints\/.*manifest\.json$/,
  // The second of three shards; hits of training queries; mined negatives.
  /^before .*shards\/.*0001\.json$/,
  /^before .*runs\/.*scores\.f32$/,
  // The last epoch of the second training; the record, whose run is there.
  /^after .*state-5\.safetensors$/,
  /^before .*\.record\.json$/,
];

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-killed-'));
  await mkdir(path.join(root, 'data'));
  await writeMadeSquad(path.join(root, 'data'));
  await writeFile(path.join(root, 'killer.mjs'), killer);
});
after(() => rm(root, { recursive: true, force: true }));

/** Runs with a cache and an output folder of this name. @param at where it is killed; nowhere if absent */
async function run(name: string, at?: RegExp | string) {
  const argv = [
    ...['run', '--arch', 'mlr-mix', '--dataset', 'squad', '--data', path.join(root, 'data'), '--stages', '2'],
    ...['--cache', path.join(root, name, 'cache'), '--out', path.join(root, name, 'out')],
    ...tinySettings.flatMap((setting) => ['--set', setting]),
  ];
  const preload = at instanceof RegExp ? ['--import', path.join(root, 'killer.mjs')] : [];
  const child = spawn(process.execPath, [...preload, cli, ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...(at instanceof RegExp && { STRATA_KILL_AT: at.source }) },
  });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
    if (typeof at === 'string' && stderr.includes(at)) child.kill('SIGKILL');
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (...ended) => resolve(ended)),
  );
  return { code, signal, stderr };
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

const times = /^(seconds|milliseconds|stepsPerSecond|passagesPerSecond|javascriptShare)$/;

/** What a file holds, but for the times that stand in it. */
async function contentOf(file: string): Promise<unknown> {
  const bytes = await readFile(file);
  const text = () => bytes.toString('utf8');
  if (file.endsWith('.record.json')) return withoutTimes(JSON.parse(text()) as RunRecord);
  if (!/(manifest\.json|steps\.jsonl)$/.test(file)) return bytes.toString('base64');
  const lines = file.endsWith('.jsonl') ? text().trimEnd().split('\n') : [text()];
  return lines.map((line) =>
    JSON.parse(line, (key, value) => (times.test(key) || key === 'execution' ? undefined : value)),
  );
}

test('kill -9 at eleven places of a run in two stages changes no byte', async () => {
  const alone = await run('alone');
  assert.equal(alone.code, 0, alone.stderr);
  for (const at of places) {
    const { signal, stderr } = await run('killed', at);
    assert.equal(signal, 'SIGKILL', `not killed at ${at}:\n${stderr}`);
  }
  const last = await run('killed');
  assert.equal(last.code, 0, last.stderr);
  const files = await filesBelow(path.join(root, 'alone'));
  assert.deepEqual(await filesBelow(path.join(root, 'killed')), files);
  assert.ok(files.length > 40, files.join('\n'));
  for (const file of files) {
    const [ours, theirs] = [
      await contentOf(path.join(root, 'killed', file)),
      await contentOf(path.join(root, 'alone', file)),
    ];
    // Bytes, and no message that shows them.
    if (typeof ours === 'string') assert.ok(ours === theirs, file);
    else assert.deepEqual(ours, theirs, file);
  }
});
