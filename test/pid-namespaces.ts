/** Processes in pid namespaces of their own, as containers have them: each is number 2 of its own, and sees no other. For tests. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

/** Without a root user where users may make namespaces; else with one. */
const ways: readonly (readonly string[])[] = [
  ['--pid', '--fork', '--mount-proc', '--kill-child'],
  ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child'],
];
const way = ways.find((options) => spawnSync('unshare', [...options, 'true']).status === 0);

/** Why tests that need namespaces are skipped; false where they are not. */
export const withoutNamespaces: string | false =
  way === undefined && 'unshare makes no pid namespace here: it takes Linux, and root or namespaces of users';

export interface Contained {
  child: ChildProcess;
  /** What it printed so far. */
  stdout(): string;
  stderr(): string;
  /** Waits until it has printed a text. */
  says(text: string): Promise<void>;
  /** Exit code, null where it was killed. */
  exit: Promise<number | null>;
  /** kill -9 of all that runs in the namespace. */
  kill(): Promise<void>;
}

const started = new Set<ChildProcess>();

/** @param argv of Node @param env beside this process's own */
export function contained(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Contained {
  // The first process of a namespace hears no signal that comes from inside: a shell takes that place.
  const child = spawn('unshare', [...way!, 'sh', '-c', '"$@"; exit $?', 'sh', process.execPath, ...argv], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  let isOver = false;
  void exit.then(() => {
    isOver = true;
    started.delete(child);
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    exit,
    async says(text) {
      while (!stdout.includes(text) && !stderr.includes(text)) {
        if (isOver) throw new Error(`It ended without saying '${text}': ${stdout}\n${stderr}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async kill() {
      // --kill-child takes the namespace's first process with it, and that all others.
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** For the end of a test that failed in the middle. */
export async function killAll(): Promise<void> {
  for (const child of started) child.kill('SIGKILL');
}
