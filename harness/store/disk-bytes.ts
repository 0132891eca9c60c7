/** What things take on the disk. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** Bytes of a file, or of all files below a folder. */
export async function bytesOnDisk(target: string): Promise<number> {
  const found = await stat(target);
  if (!found.isDirectory()) return found.size;
  let sum = 0;
  for (const name of await readdir(target)) sum += await bytesOnDisk(path.join(target, name));
  return sum;
}
