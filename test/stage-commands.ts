/** The commands of the stages as a user gives them, on a tiny collection, for tests. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execute } from '../harness/cli/command.js';
import { command as encode } from '../harness/cli/encode.js';
import { command as evaluate } from '../harness/cli/evaluate.js';
import { command as mine } from '../harness/cli/mine.js';
import { command as run } from '../harness/cli/run.js';
import { command as search } from '../harness/cli/search.js';
import { command as train } from '../harness/cli/train.js';
import { tinySettings, writeMadeSquad } from './made-squad.js';

const commands = { run, train, encode, search, evaluate, mine };
export type StageCommand = keyof typeof commands;

export const set = tinySettings.flatMap((setting) => ['--set', setting]);

/** A new folder with the collection in `data`. */
export async function stageRoot(): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'strata-stages-'));
  await mkdir(path.join(root, 'data'));
  await writeMadeSquad(path.join(root, 'data'));
  return root;
}

/** @returns what the command printed */
export async function bench(name: StageCommand, ...argv: string[]): Promise<string> {
  let printed = '';
  const code = await execute(name, commands[name], argv, (text) => {
    printed += text;
  });
  assert.equal(code, 0);
  return printed;
}

export const json = async <T>(name: StageCommand, ...argv: string[]): Promise<T> =>
  JSON.parse(await bench(name, ...argv, '--json')) as T;
