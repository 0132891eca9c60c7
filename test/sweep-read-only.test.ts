/** A cache that may only be read: what lies there is used, and what is lacking is told before anything begins. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { merge } from '../harness/config/preset-layers.js';
import { assignment } from '../harness/config/sources.js';
import { givenFiles } from './given-folder.js';
import { cli, passingFolder } from './places.js';
import { sentenceFolder } from './sentence-folder.js';
import { writeTinyCollection } from './tiny-collection.js';

const root = passingFolder('read-only');
const [cache, out] = ['cache', 'out'].map((name) => path.join(root, name)) as [string, string];

/** A file system that takes nothing below a folder, for whoever runs the tests as root. */
const closed = `
  import fs from 'node:fs/promises';
  import { syncBuiltinESMExports } from 'node:module';
  const isClosed = (file) => (String(file) + '/').startsWith(${JSON.stringify(`${path.join(root, 'cache')}/`)});
  const refuse = (file) => {
    if (isClosed(file)) throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
  };
  for (const name of ['mkdir', 'writeFile', 'rm', 'utimes', 'appendFile', 'unlink', 'rmdir', 'truncate', 'chmod', 'mkdtemp']) {
    const whole = fs[name];
    fs[name] = async (file, ...rest) => {
      // As of Linux: what is there is said to be there.
      if (name === 'mkdir' && isClosed(file) && (await fs.stat(file).then(() => true, () => false)))
        throw Object.assign(new Error('EEXIST'), { code: 'EEXIST' });
      // What is not there is not removed, with force or without.
      const isAbsent = name === 'rm' && !(await fs.lstat(file).then(() => true, () => false));
      if (!isAbsent) refuse(file);
      return whole(file, ...rest);
    };
  }
  for (const name of ['rename', 'link', 'copyFile', 'cp', 'symlink']) {
    const whole = fs[name];
    fs[name] = async (from, to, ...rest) => {
      if (name === 'rename') refuse(from);
      refuse(to);
      return whole(from, to, ...rest);
    };
  }
  const { open } = fs;
  fs.open = async (file, flags = 'r', ...rest) => {
    if (flags !== 'r' && typeof flags === 'string') refuse(file);
    return open(file, flags, ...rest);
  };
  syncBuiltinESMExports();`;

let given: string;
let pretrained: string;
before(async () => {
  await writeTinyCollection(path.join(root, 'data'));
  await writeFile(path.join(root, 'closed.mjs'), closed);
  // In a file: what it sets for other systems does no harm.
  const sections = settings.map((setting) => assignment(setting).settings);
  await writeFile(path.join(root, 'settings.json'), JSON.stringify(sections.reduce(merge, {})));
  given = path.join(root, 'given');
  await mkdir(given);
  for (const [name, content] of Object.entries(givenFiles()))
    await writeFile(path.join(given, name), content);
  pretrained = `pretrained:${await sentenceFolder('prompts')}`;
});

const settings = [
  ...['engine=onnx', 'searcher=exact', 'search.depth=10', 'latency.queries=2', 'latency.warmup=1'],
  ...['latency.batchSizes=[2]', 'answering.measure=false', 'measures=mrr@10', 'train.epochs=0'],
  ...['model.scratch.layers=2', 'model.scratch.dimensions=8', 'model.scratch.heads=1'],
  ...['model.scratch.intermediate=8', 'model.scratch.vocabularySize=300', 'text.passageTokens=16'],
];

function bench(how: 'open' | 'closed', arch: string, ...more: string[]) {
  const argv = [
    ...['run', '--arch', arch, '--dataset', 'beir', '--data', path.join(root, 'data'), '--offline'],
    ...['--cache', cache, '--out', out, '--config', path.join(root, 'settings.json'), ...more],
  ];
  const preload = how === 'open' ? [] : ['--import', pathToFileURL(path.join(root, 'closed.mjs')).href];
  return spawnSync(process.execPath, [...preload, cli, ...argv], { cwd: root, encoding: 'utf8' });
}

const listed = async () => (await readdir(cache, { recursive: true })).sort();

test('what a cache has is run from it where it may only be read, and nothing is left there', async () => {
  const systems = () => `bm25,mlr-sc,${pretrained},vectors:${given},fuse:bm25+mlr-sc,rerank:bm25>mlr-sc`;
  const made = bench('open', systems());
  assert.equal(made.status, 0, made.stderr);
  await rm(out, { recursive: true });
  const before = await listed();
  const again = bench('closed', systems());
  assert.equal(again.status, 0, again.stderr);
  assert.deepEqual(await listed(), before);
  assert.equal((await readdir(out)).filter((name) => name.endsWith('.record.json')).length, 6);
  const dry = bench('closed', 'bm25', '--dry-run');
  assert.equal(dry.status, 0, dry.stderr);
});

test('what it lacks is told by name before anything begins, and no record is left of it', async () => {
  await rm(out, { recursive: true, force: true });
  const { status, stderr } = bench('closed', 'bm25,me-bert,mlr-sc');
  assert.equal(status, 3, stderr);
  assert.match(stderr, /1 of 3 runs cannot begin, so none was begun/);
  assert.match(
    stderr,
    /me-bert on beir, seed \d+: The cache \S+ may only be read, and lacks what me-bert on beir, seed \d+ is made of: negatives, train, encode, queries, search, dev winners\. \(Name another one with --cache/,
  );
  assert.deepEqual(await readdir(out).catch(() => []), []);
  // Hits alone are gone.
  await rm(path.join(cache, 'runs'), { recursive: true });
  const alone = bench('closed', 'bm25');
  assert.match(
    alone.stderr,
    /^error NOT_WRITABLE: .* lacks what bm25 on beir, seed \d+ is made of: search\.$/m,
  );
  const anew = bench('closed', 'bm25', '--fresh');
  assert.match(anew.stderr, /^error NOT_WRITABLE: /m);
  assert.equal(bench('open', 'bm25').status, 0);
});
