// A process that runs test files for scripts/mutate.mjs, one at a time, and ends with it: a mutant may loop for ever.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { endedMs, isCounted, sessionMs } from './processor.mjs';

/** A test that takes no more than so much of the processor in so long waits for what never comes. */
const idle = { cpuMs: 300, ms: 60_000 };

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

process.on('disconnect', async () => {
  // Whoever waits for this process may remove the folder that the test writes to.
  const ended = running && once(running, 'exit');
  kill();
  await ended;
  process.exit();
});
// Ctrl-C reaches this process as well: the other one ends it.
process.on('SIGINT', () => {});

/** Calls back once a test has taken too much processor time, or waits for ever. @returns what ends the watch */
function watch(child, { limitMs, waitMs }, tell) {
  if (!isCounted) {
    const timer = setTimeout(tell, limitMs + waitMs);
    return () => clearTimeout(timer);
  }
  let seen = { ms: performance.now(), cpuMs: 0 };
  const timer = setInterval(() => {
    const cpuMs = sessionMs(child.pid);
    if (cpuMs > limitMs) tell();
    const ms = performance.now();
    if (cpuMs - seen.cpuMs > idle.cpuMs) seen = { ms, cpuMs };
    else if (ms - seen.ms > idle.ms + waitMs) tell();
  }, 500);
  return () => clearInterval(timer);
}

/**
 * @returns the outcome: 'passed', 'failed' (at the first test that fails) or 'hung' (more processor time than its limit, or none
 *   any more); and how many tests were skipped
 */
async function run({ file, cwd, env, ...limits }) {
  const child = spawn(process.execPath, ['--test-reporter=tap', file], {
    cwd,
    // Where a test starts this, what it runs would otherwise answer in the runner's own language.
    env: { ...env, NODE_TEST_CONTEXT: undefined },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  running = child;
  let outcome;
  let skipped = 0;
  const stop = (why) => {
    outcome ??= why;
    kill();
  };
  const endWatch = watch(child, limits, () => stop('hung'));
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (/^\s*not ok /.test(line) && !/ # (TODO|SKIP)\b/.test(line)) stop('failed');
    if (/^\s*(not )?ok .* # SKIP\b/.test(line)) skipped++;
  });
  const [status] = await once(child, 'exit');
  endWatch();
  kill();
  running = undefined;
  return { outcome: outcome ?? (status === 0 ? 'passed' : 'failed'), skipped };
}

process.on('message', async (asked) => {
  const [began, before] = [performance.now(), isCounted ? endedMs() : 0];
  const ended = await run(asked);
  const ms = performance.now() - began;
  process.send({ ...ended, ms, cpuMs: isCounted ? endedMs() - before : ms });
});
