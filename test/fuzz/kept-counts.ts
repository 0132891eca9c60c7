/** The counts of a long round, kept loader by loader, so that a round that was stopped goes on behind them. */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildFolder } from '../../harness/program/place.js';
import type { LoaderCount } from './round.js';

/** What a round's counts hold for. */
export interface KeptRound {
  seeds: readonly number[];
  /** Of each loader and seed. */
  inputs: number;
  /** The hash of the built program and of the fuzzer. */
  program: string;
}

/**
 * The counts that FILE holds of this very round: none where there is no such file. Its first line says the round, each
 * other one is a count.
 *
 * @throws Error where the file is of another round, whose counts would not be this one's
 */
export function keptCounts(file: string, round: KeptRound): LoaderCount[] {
  const first = JSON.stringify(round);
  if (!existsSync(file)) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${first}\n`);
    return [];
  }
  const [kept, ...lines] = readFileSync(file, 'utf8').split('\n');
  if (kept !== first)
    throw new Error(`${file} holds the counts of another round, ${kept}, and this one is ${first}.`);
  // A line that the end of the process cut is behind the last end of a line, and is counted again.
  const whole = lines.slice(0, -1);
  writeFileSync(file, `${[first, ...whole].join('\n')}\n`);
  return whole.map((line) => JSON.parse(line) as LoaderCount);
}

export function keepCount(file: string, count: LoaderCount): void {
  appendFileSync(file, `${JSON.stringify(count)}\n`);
}

/** The hash of all that the loaders run: the build but for its tests. */
export function builtProgram(folder = buildFolder): string {
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    // built.json holds the times of the sources.
    (file) => /\.(js|wasm|json)$/.test(file) && !/(\.test\.js|^built\.json)$/.test(file),
  );
  for (const file of files.sort()) hash.update(`${file}\0`).update(readFileSync(path.join(folder, file)));
  return hash.digest('hex');
}
