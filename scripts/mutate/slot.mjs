// A process that runs test files for scripts/mutate.mjs, one at a time, and ends with it: a mutant may loop for ever.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

let running;

/** The test, and the programs it started. */
function kill() {
  if (running === undefined) return;
  try {
    process.kill(-running.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

process.on('disconnect', () => {
  kill();
  process.exit();
});
// Ctrl-C reaches this process as well: the other one ends it.
process.on('SIGINT', () => {});

/** @returns 'passed', 'failed' (at the first test that fails) or 'hung' (not done after so long) */
async function run({ file, cwd, env, limitMs }) {
  const child = spawn(process.execPath, ['--test-reporter=tap', file], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  running = child;
  let outcome;
  const stop = (why) => {
    outcome ??= why;
    kill();
  };
  const timer = setTimeout(() => stop('hung'), limitMs);
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (/^\s*not ok /.test(line) && !/ # (TODO|SKIP)\b/.test(line)) stop('failed');
  });
  const [status] = await once(child, 'exit');
  clearTimeout(timer);
  kill();
  running = undefined;
  return outcome ?? (status === 0 ? 'passed' : 'failed');
}

process.on('message', async (asked) => {
  const began = performance.now();
  process.send({ outcome: await run(asked), ms: performance.now() - began });
});
