/**
 * Which process something in the store belongs to, and whether that process lives. A number alone does not say it: containers
 * and hosts that share a store number their processes alike.
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { BenchError } from '../errors.js';

/** What separates the name of a file that is not whole yet from its owner. */
export const partialMark = '.partial-';

/** A process, as far as what it left tells. */
export interface Owner {
  pid: number;
  /** The boot, the space of process numbers and the host, as 12 hexadecimal digits. */
  place: string;
  /** When it began, in ticks of the system's own count; absent where the system does not tell. */
  started?: string;
  /** After so long without a sign of life it counts as dead where nobody can look. */
  leaseMs: number;
}

/** `ours`: of this process; `gone`: ended; `elsewhere`: it may live where this process cannot look. */
export type Life = 'ours' | 'alive' | 'gone' | 'elsewhere';

/** Long enough for a machine that is busy, short enough that somebody waits for it. */
const usualLeaseSeconds = 60;
/** A day: whoever shares a store with a process that died waits so long. */
const longestLeaseSeconds = 86_400;

/**
 * How long this process may give no sign of life before it counts as dead to those that cannot look, in milliseconds:
 * `BENCH_LEASE_SECONDS` or a minute. What it leaves in the store says it to them.
 * @throws BenchError CONFIG_INVALID
 */
export function leaseMs(): number {
  const given = process.env.BENCH_LEASE_SECONDS;
  if (given === undefined || given === '') return 1000 * usualLeaseSeconds;
  const seconds = Number(given);
  if (seconds >= 0.1 && seconds <= longestLeaseSeconds) return Math.round(1000 * seconds);
  throw new BenchError('CONFIG_INVALID', `BENCH_LEASE_SECONDS is '${given}'.`, {
    hint: `Give a number of seconds from 0.1 to ${longestLeaseSeconds}, or leave it out for ${usualLeaseSeconds}.`,
  });
}

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
};

const link = (file: string): string | undefined => {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
};

/** Names a boot of this machine; undefined where the system has no such name. */
function bootId(): string | undefined {
  if (process.platform === 'linux') return read('/proc/sys/kernel/random/boot_id');
  if (process.platform !== 'darwin') return undefined;
  try {
    return execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** Whether /proc shows the processes by the numbers that this process knows them by. */
const showsOurs = link('/proc/self') === String(process.pid);

/** When a process began; `ended` of one that nobody has buried yet; undefined where the system does not tell. */
function startOf(pid: number): string | undefined {
  if (!showsOurs) return undefined;
  const text = read(`/proc/${pid}/stat`);
  // The name of the program stands in brackets, and may hold any of them.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined) return undefined;
  return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19];
}

/** Made when it is first asked for: most commands touch no store. */
let known: Owner | undefined;

/** This process. */
function thisOwner(): Owner {
  if (known !== undefined) return known;
  const facts = [bootId() ?? 'no name', link('/proc/self/ns/pid') ?? 'one', hostname()];
  const place = createHash('sha256').update(facts.join('\n')).digest('hex').slice(0, 12);
  const started = startOf(process.pid);
  known = { pid: process.pid, place, ...(started !== undefined && { started }), leaseMs: leaseMs() };
  return known;
}

/** Of this process, for the name of a file or the text of a lock. */
export function ownerText(): string {
  const { pid, place, started = 'x', leaseMs: lease } = thisOwner();
  return `${pid}-${place}-${started}-${lease}`;
}

/** What follows an owner in a name, so that a process can have several. */
export const randomPart = (): string => randomBytes(4).toString('hex');

/** @param text that begins with `ownerText()` @returns undefined for any other */
export function parseOwner(text: string): Owner | undefined {
  const [, pid, place, started, lease] =
    /^(\d{1,10})-([0-9a-f]{12})-(\d{1,20}|x)-(\d{1,10})(?![0-9a-z])/.exec(text) ?? [];
  if (place === undefined) return undefined;
  return { pid: Number(pid), place, leaseMs: Number(lease), ...(started !== 'x' && { started: started! }) };
}

/** What can be told at once, without waiting for a sign of life. */
export function lifeOf({ pid, place, started }: Owner): Life {
  const here = thisOwner();
  if (place !== here.place) return 'elsewhere';
  if (pid === here.pid && started === here.started) return 'ours';
  if (!isRunning(pid)) return 'gone';
  // Numbers are given again, and where no start is known only signs of life tell.
  const now = startOf(pid);
  if (now === 'ended') return 'gone';
  if (started === undefined || now === undefined) return 'elsewhere';
  return started === now ? 'alive' : 'gone';
}

/** Whether a process of this number runs where this one does. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
