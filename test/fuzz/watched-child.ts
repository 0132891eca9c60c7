/** One child under watch: its limits, the number it is at, and how it ended. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Block, BlockResult, FromChild } from './child.js';
import { type Fault, type FaultKind, limits } from './outcome.js';

/** What a block came to: its result, or the input that ended the child. */
export type Ended = { result: BlockResult } | { at: number; kind: FaultKind; text: string };

const program = path.join(import.meta.dirname, 'child.js');
/** The program's own memory, which is there before any input. */
const baseMiB = 128;
/** A process that does nothing, on a machine that is busy with others, is let be for so many times as long. */
const waitingFactor = 12;
const hasLimits = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;
const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

function start(root: string, noteFile: string, temporary: string, loaders: string): ChildProcess {
  const flags = [
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
    `--max-old-space-size=${limits.memoryMiB / 2}`,
    // Writes elsewhere fail, and so come out as errors that are not ours.
    ...[permission, '--allow-fs-read=*', `--allow-fs-write=${path.dirname(root)}`],
    ...['--allow-addons', '--allow-worker', '--allow-child-process'],
  ];
  const command = [process.execPath, ...flags, program, root, noteFile, loaders];
  // Memory that is taken and not written to counts too: what a length that lies asks for.
  const limited = hasLimits
    ? ['prlimit', `--data=${(limits.memoryMiB + baseMiB) << 20}`, ...command]
    : command;
  const env = { ...process.env, TMPDIR: temporary, OMP_NUM_THREADS: '1', HF_ENDPOINT: 'http://127.0.0.1:9' };
  return spawn(limited[0]!, limited.slice(1), {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

export class WatchedChild {
  readonly #folder: string;
  readonly #loaders: string;
  #process: ChildProcess | undefined;
  #said = '';

  /** @param folder of its own @param loaders folder of the loaders */
  constructor(folder: string, loaders: string) {
    this.#folder = folder;
    this.#loaders = loaders;
  }

  /** Runs a block to its end, or to the input that ends the child. */
  async run(block: Block, onFault: (fault: Fault) => void): Promise<Ended> {
    const child = this.#started();
    const seconds = block.hangSeconds ?? limits.seconds;
    const noteFile = path.join(this.#folder, 'note');
    writeNote(noteFile);
    return new Promise((resolve, reject) => {
      let seen = Number.NaN;
      let begun = { ms: Date.now(), seconds: 0 };
      let killed: FaultKind | undefined;
      const finish = (ended: Ended) => {
        clearInterval(timer);
        child.removeAllListeners();
        resolve(ended);
      };
      const timer = setInterval(() => {
        const number = readNote(noteFile);
        const now = { ms: Date.now(), seconds: processorSeconds(child.pid!) ?? Date.now() / 1000 };
        if (number !== seen) [seen, begun] = [number, now];
        // Before the first input and after the last there is nothing to hang on.
        else if (number >= 0) {
          const isBusy = now.seconds - begun.seconds > seconds;
          if (isBusy || now.ms - begun.ms > waitingFactor * seconds * 1000) killed ??= 'hang';
        }
        if (residentMiB(child.pid!) > 2 * limits.memoryMiB) killed ??= 'memory';
        if (killed !== undefined) child.kill('SIGKILL');
      }, 100);
      child.on('message', (message: FromChild) => {
        if ('fault' in message) onFault(message.fault);
        else finish({ result: message.result });
      });
      child.on('exit', (code, signal) => {
        this.#process = undefined;
        const kind = killed ?? (/heap out of memory|Allocation failed/.test(this.#said) ? 'memory' : 'death');
        const text = `${kind}: ended by ${signal ?? `exit ${code}`}\n${this.#said.slice(-2000)}`;
        if (code === 9) reject(new Error(this.#said));
        finish({ at: readNote(noteFile), kind, text });
      });
      child.send(block);
    });
  }

  /** A fresh process for the next block. */
  async restart(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGKILL');
    });
  }

  /** At once, whatever it is at. */
  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  async close(): Promise<void> {
    await this.restart();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #started(): ChildProcess {
    if (this.#process !== undefined) return this.#process;
    rmSync(this.#folder, { recursive: true, force: true });
    const root = path.join(this.#folder, 'root');
    mkdirSync(root, { recursive: true });
    writeNote(path.join(this.#folder, 'note'));
    this.#said = '';
    const temporary = path.join(this.#folder, 'temporary');
    mkdirSync(temporary);
    this.#process = start(root, path.join(this.#folder, 'note'), temporary, this.#loaders);
    this.#process.stderr!.on('data', (text: Buffer) => {
      this.#said = (this.#said + text.toString()).slice(-8000);
    });
    return this.#process;
  }
}

function writeNote(file: string): void {
  writeFileSync(file, new Uint8Array(Float64Array.of(-1).buffer));
}

function readNote(file: string): number {
  const bytes = new Float64Array(1);
  const handle = openSync(file, 'r');
  readSync(handle, new Uint8Array(bytes.buffer), 0, 8, 0);
  closeSync(handle);
  return bytes[0]!;
}

function residentMiB(pid: number): number {
  if (process.platform !== 'linux') return 0;
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    // It has just ended.
    return 0;
  }
}

/** Time on the processors so far; undefined where the system does not say it so. */
function processorSeconds(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    // It has just ended.
    return undefined;
  }
}
