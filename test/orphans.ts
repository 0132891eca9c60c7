/** Whether a process that works for another one ends, without a word, once that is gone: its work can take hours. For tests. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writtenFiles } from './written-files.js';

const { fileOf } = writtenFiles('strata-orphans-');
/** Whoever asked is gone as soon as that can be noticed. */
const gone = fileOf(
  `const { on } = process;
  process.on = function (name, ...more) {
    on.call(this, name, ...more);
    if (name === 'disconnect') process.emit('disconnect');
    return this;
  };`,
  '.cjs',
);

/** @param module of harness @param given its arguments */
export async function assertEndsAlone(module: string, ...given: string[]): Promise<void> {
  const child = fork(new URL(`../harness/${module}.js`, import.meta.url), given, {
    execArgv: ['--require', gone],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const said: unknown[] = [];
  child.stderr!.on('data', (data) => said.push(String(data)));
  child.on('message', (message) => said.push(message));
  const [code] = await once(child, 'close');
  assert.deepEqual([code, said], [1, []]);
}
