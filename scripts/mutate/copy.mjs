// A checkout of its own, with the packages of this one, whose build is changed and tested: nothing that is done there is
// done to the sources.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRunning } from '../../dist/harness/store/owner.js';
import { readCoverage } from './coverage.mjs';

const prefix = 'strata-mutate-';
const here = path.join(tmpdir(), `${prefix}${process.pid}`);
const left = new Set(['node_modules', '.git', '.bench', 'results']);
const isLeft = (name) => left.has(name) || /^dist/.test(name);

/** Removes what this process made, and what others that are gone left behind. */
export function removeCopies() {
  rmSync(here, { recursive: true, force: true, maxRetries: 10 });
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = /^strata-mutate-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && !isRunning(Number(pid)))
      rmSync(path.join(tmpdir(), name), { recursive: true, force: true });
  }
}

export class Copy {
  #slot;

  /** @param root of the checkout */
  constructor(root, number) {
    this.root = path.join(here, String(number));
    mkdirSync(this.root, { recursive: true });
    for (const name of readdirSync(root))
      if (!isLeft(name)) cpSync(path.join(root, name), this.#at(name), { recursive: true });
    cpSync(realpathSync(path.join(root, 'dist')), this.#at('dist'), { recursive: true });
    rmSync(this.#at('dist', 'in-use'), { recursive: true, force: true });
    symlinkSync(path.join(root, 'node_modules'), this.#at('node_modules'));
    this.env = {
      ...process.env,
      TMPDIR: this.#at('temporary'),
      STRATA_TEST_DATA: path.resolve(root, process.env.STRATA_TEST_DATA ?? '../shared/data'),
    };
  }

  #at(...names) {
    return path.join(this.root, ...names);
  }

  /** Runs a test file until its first failure, `limitMs` of processor time or a wait of over a minute and `waitMs`. */
  async test(file, { limitMs, waitMs, env = {} }) {
    if (this.#slot === undefined || !this.#slot.connected)
      this.#slot = fork(fileURLToPath(new URL('slot.mjs', import.meta.url)));
    rmSync(this.env.TMPDIR, { recursive: true, force: true });
    mkdirSync(this.env.TMPDIR);
    const asked = {
      file: this.#at('dist', file),
      cwd: this.root,
      env: { ...this.env, ...env },
      limitMs,
      waitMs,
    };
    this.#slot.send(asked);
    const [answer] = await once(this.#slot, 'message');
    return answer;
  }

  /** Does something while a module is another. */
  async with(module, text, work) {
    const file = this.#at('dist', module);
    const before = readFileSync(file);
    writeFileSync(file, text);
    try {
      return await work();
    } finally {
      writeFileSync(file, before);
    }
  }

  /** A test file's outcome and cost where nothing is wrong, what it loaded and what of it ran. */
  async coverage(file, limits) {
    const folder = this.#at('coverage');
    const answer = await this.test(file, { ...limits, env: { NODE_V8_COVERAGE: folder } });
    const read = readCoverage(folder, this.#at('dist'));
    rmSync(folder, { recursive: true, force: true });
    return { ...answer, ...read };
  }

  /** Ends the test that runs, if one does, and what it started. */
  async close() {
    if (this.#slot === undefined) return;
    const ended = this.#slot.exitCode ?? once(this.#slot, 'exit');
    if (this.#slot.connected) this.#slot.disconnect();
    await ended;
  }
}
