/** Redis and PostgreSQL on loopback, for tests: started by them, ended with them. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface QueueServer {
  readonly url: string;
  /** As a power cut would end it. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Why it cannot be started here; undefined where it can. */
export function programMissing(program: string, debian: string): string | undefined {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `${program} is not installed (Debian: ${debian})`;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function ended(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

/** @param settings of redis-server, `--maxmemory-policy allkeys-lru` */
export async function startRedis(...settings: string[]): Promise<QueueServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-redis-'));
  const port = await freePort();
  let child: ChildProcess | undefined;
  // Where a test ends without stopping it.
  process.once('exit', () => child?.kill('SIGKILL'));
  const start = async () => {
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    child = spawn('redis-server', [...own, '--appendonly', 'yes', '--appendfsync', 'always', ...settings], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    for await (const data of child.stdout!) {
      said += String(data);
      if (said.includes('Ready to accept connections')) break;
    }
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    kill: () => ended(child, 'SIGKILL'),
    async stop() {
      await ended(child, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Where Debian puts them, the newest version; undefined where there are none. */
export function postgresPrograms(): string | undefined {
  const all = '/usr/lib/postgresql';
  if (!existsSync(all)) return undefined;
  const newest = Math.max(
    ...readdirSync(all)
      .map(Number)
      .filter((version) => version > 0),
  );
  const folder = path.join(all, String(newest), 'bin');
  return existsSync(path.join(folder, 'postgres')) ? folder : undefined;
}

/** PostgreSQL does not start as root: `postgres` of Debian's package is the user then. */
export async function startPostgres(): Promise<QueueServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-postgres-'));
  const port = await freePort();
  const isRoot = process.getuid?.() === 0;
  const owner = isRoot
    ? ['uid', 'gid'].map((_, i) =>
        Number(execFileSync('id', [i === 0 ? '-u' : '-g', 'postgres'], { encoding: 'utf8' })),
      )
    : [];
  const as = isRoot ? { uid: owner[0]!, gid: owner[1]! } : {};
  if (isRoot) await chown(folder, owner[0]!, owner[1]!);
  const programs = postgresPrograms()!;
  const data = path.join(folder, 'data');
  await mkdir(data);
  const passwords = path.join(folder, 'password');
  await writeFile(passwords, 'sesame');
  if (isRoot) for (const file of [data, passwords]) await chown(file, owner[0]!, owner[1]!);
  execFileSync(
    path.join(programs, 'initdb'),
    ['-D', data, '-U', 'bench', '-A', 'scram-sha-256', `--pwfile=${passwords}`, '-E', 'UTF8', '--locale=C'],
    { stdio: 'ignore', cwd: folder, ...as },
  );
  let child: ChildProcess | undefined;
  // Where a test ends without stopping it.
  process.once('exit', () => child?.kill('SIGKILL'));
  const start = async () => {
    child = spawn(
      path.join(programs, 'postgres'),
      [
        '-D',
        data,
        '-p',
        String(port),
        '-c',
        'listen_addresses=127.0.0.1',
        '-c',
        `unix_socket_directories=${folder}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder, ...as },
    );
    let said = '';
    for await (const line of child.stderr!) {
      said += String(line);
      if (said.includes('ready to accept connections')) break;
    }
    child.stderr!.resume();
    await wait(100);
  };
  await start();
  return {
    url: `postgres://bench:sesame@127.0.0.1:${port}/postgres`,
    start,
    kill: () => ended(child, 'SIGKILL'),
    async stop() {
      await ended(child, 'SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
