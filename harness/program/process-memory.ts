/** Memory of this process, as the kernel counts it. */
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
