/** Commands that are killed at a place of their own choice and started again, and the files that they leave. For tests. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type RunRecord, withoutTimes } from '../harness/record.js';
import { tinySettings, writeMadeSquad } from './made-squad.js';
import { cli } from './places.js';

/**
 * Every file comes to be by a rename or, a manifest, by a link, so this counts what a run does on disk: `before FILE` the whole of it lies under a
 * temporary name, `after FILE` it is there, `amid FILE` half of what is being written of it is; `removed FILE` it is gone
 * again, `copied FILE` a copy of it is there. The process kills itself at the place that matches, which leaves it no
 * moment to put anything in order.
 */
const killer = `
  import fs from 'node:fs/promises';
  import { syncBuiltinESMExports } from 'node:module';
  const at = new RegExp(process.env.STRATA_KILL_AT);
  const matches = (when, file) => at.test(when + ' ' + String(file).replace(/\\.partial-[^/]*$/, ''));
  const place = (when, file) => {
    if (matches(when, file)) process.kill(process.pid, 'SIGKILL');
  };
  const { rename, link, rm, copyFile, appendFile, open } = fs;
  fs.rename = async (from, to) => {
    place('before', to);
    await rename(from, to);
    place('after', to);
  };
  fs.link = async (from, to) => {
    place('before', to);
    await link(from, to);
    place('after', to);
  };
  fs.rm = async (file, options) => {
    await rm(file, options);
    place('removed', file);
  };
  fs.copyFile = async (from, to, mode) => {
    await copyFile(from, to, mode);
    place('copied', to);
  };
  fs.appendFile = async (file, text) => {
    if (!matches('amid', file)) return appendFile(file, text);
    await appendFile(file, text.slice(0, text.length >> 1));
    process.kill(process.pid, 'SIGKILL');
  };
  fs.open = async (file, flags, mode) => {
    const handle = await open(file, flags, mode);
    if (flags === undefined || flags === 'r') return handle;
    const write = handle.write.bind(handle);
    handle.write = async (bytes, ...rest) => {
      if (!matches('amid', file)) return write(bytes, ...rest);
      const half = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
      await write(half, 0, half.length >> 1);
      process.kill(process.pid, 'SIGKILL');
    };
    return handle;
  };
  syncBuiltinESMExports();`;

/** A place on disk, or a text that is waited for on stderr. */
export type Place = RegExp | string;

/** A new folder with the collection in `data`. */
export async function killedRoot(): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'strata-killed-'));
  await mkdir(path.join(root, 'data'));
  await writeMadeSquad(path.join(root, 'data'));
  await writeFile(path.join(root, 'killer.mjs'), killer);
  return root;
}

/** @param at where it is killed; nowhere if absent @returns what it printed */
export async function bench(root: string, argv: readonly string[], at?: Place): Promise<string> {
  const preload = at instanceof RegExp ? ['--import', path.join(root, 'killer.mjs')] : [];
  const child = spawn(process.execPath, [...preload, cli, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(at instanceof RegExp && { STRATA_KILL_AT: at.source }) },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
    if (typeof at === 'string' && stderr.includes(at)) child.kill('SIGKILL');
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (...ended) => resolve(ended)),
  );
  const said = `bench ${argv.join(' ')}\n${stderr}`;
  if (at === undefined) assert.equal(code, 0, said);
  else assert.equal(signal, 'SIGKILL', `not killed at ${at}: ${said}`);
  return stdout;
}

export interface KilledCommand {
  /** @param here the folder it works in @param printed what the commands before it printed */
  argv(here: string, printed: readonly string[]): readonly string[];
  /** In the order in which the command comes to them. */
  places: readonly Place[];
}

/**
 * Gives the commands one after another in a folder `alone`; and in a folder `killed` each once for every place, where it
 * is killed, and once more. Fails where a file of the two differs, but for times.
 * @returns the files
 */
export async function assertSameWhenKilled(
  root: string,
  name: string,
  commands: readonly KilledCommand[],
): Promise<string[]> {
  const [alone, killed] = [path.join(root, name, 'alone'), path.join(root, name, 'killed')];
  for (const here of [alone, killed]) {
    const printed: string[] = [];
    for (const { argv, places } of commands) {
      const asked = argv(here, printed);
      if (here === killed) for (const at of places) await bench(root, asked, at);
      printed.push(await bench(root, asked));
    }
  }
  return assertSameFiles(killed, alone);
}

/** Fails where a file of one folder differs from that of the other, but for times. @returns the files */
export async function assertSameFiles(killed: string, alone: string): Promise<string[]> {
  assert.deepEqual(await filesBelow(killed), await filesBelow(alone));
  return assertHeldFiles(killed, alone);
}

/** Fails where a file of `alone` is not in the other folder, or differs there but for times. @returns the files */
export async function assertHeldFiles(killed: string, alone: string): Promise<string[]> {
  const files = await filesBelow(alone);
  for (const file of files) {
    const [ours, theirs] = [
      await contentOf(path.join(killed, file)),
      await contentOf(path.join(alone, file)),
    ];
    // Bytes, and no message that shows them.
    if (typeof ours === 'string') assert.ok(ours === theirs, file);
    else assert.deepEqual(ours, theirs, file);
  }
  return files;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

const times = /^(seconds|devSeconds|milliseconds|stepsPerSecond|passagesPerSecond|javascriptShare)$/;
/** What a manifest says of files in which times stand; the files themselves are compared. */
const hashes = /^(files|digest)$/;

/** What a file holds, but for the times that stand in it. */
async function contentOf(file: string): Promise<unknown> {
  const bytes = await readFile(file);
  const text = () => bytes.toString('utf8');
  if (file.endsWith('.record.json')) return withoutTimes(JSON.parse(text()) as RunRecord);
  // The command line names the folders that it works in.
  if (file.endsWith('.ir_metadata.yaml')) return text().replace(/^ *cmd: .*$/m, '');
  if (!/(manifest\.json|steps\.jsonl)$/.test(file)) return bytes.toString('base64');
  const lines = file.endsWith('.jsonl') ? text().trimEnd().split('\n') : [text()];
  return lines.map((line) =>
    JSON.parse(line, (key, value) =>
      times.test(key) || hashes.test(key) || key === 'execution' ? undefined : value,
    ),
  );
}

/** A sweep over seeds of the collection, as a command line. @param here gets `cache` and `out` */
export const sweepOf = (root: string, here: string, systems: string, seeds = '1,2'): string[] => [
  ...['--arch', systems, '--seeds', seeds, '--dataset', 'squad', '--data', path.join(root, 'data')],
  ...['--cache', path.join(here, 'cache'), '--out', path.join(here, 'out')],
  ...tinySettings.flatMap((setting) => ['--set', setting]),
];
