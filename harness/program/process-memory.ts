/** Memory of a process: as the kernel counts it, and on a GPU as NVIDIA's own program tells. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** Bytes. Pages of files that are mapped can be dropped and read again; anonymous ones, shared memory among them, cannot. */
export interface ResidentMemory {
  peak: number;
  anonymous: number;
  files: number;
}

/** @param file what Linux says of a process @returns undefined where it does not say it, or not all of it */
export async function residentMemory(file = '/proc/self/status'): Promise<ResidentMemory | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const [peak, anonymous, files, shared] = ['VmHWM', 'RssAnon', 'RssFile', 'RssShmem'].map((name) => {
    const found = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(text);
    return found === null ? undefined : 1024 * Number(found[1]);
  });
  if (peak === undefined || anonymous === undefined || files === undefined || shared === undefined)
    return undefined;
  return { peak, anonymous: anonymous + shared, files };
}

/** Bytes, or why they are not known. */
export type DeviceMemory = { readonly bytes: number } | { readonly reason: string };

/** @param command instead of `nvidia-smi` */
export async function deviceMemory(pid: number, command = 'nvidia-smi'): Promise<DeviceMemory> {
  const query = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'];
  const printed = await new Promise<string | undefined>((resolve) => {
    execFile(command, query, { timeout: 10_000 }, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    );
  });
  if (printed === undefined) return { reason: `${command}, which would tell, does not run here` };
  let mebibytes = 0;
  let isKnown = false;
  for (const line of printed.split('\n')) {
    const found = /^\s*(\d+)\s*,\s*(\d+)\s*$/.exec(line);
    if (found === null || Number(found[1]) !== pid) continue;
    mebibytes += Number(found[2]);
    isKnown = true;
  }
  // In a container a process has another number outside than inside.
  return isKnown ? { bytes: mebibytes * 2 ** 20 } : { reason: `${command} does not name this process` };
}
