/** Drops files from the page cache, so that a system that is opened next reads them from the disk. */
import { execFile } from 'node:child_process';
import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface PageCacheFacts {
  /** Whether the kernel took the advice for every file (posix_fadvise, POSIX_FADV_DONTNEED); what other processes have mapped stays. */
  dropped: boolean;
  /** Why not. */
  reason?: string;
}

/**
 * Every file below these folders, by `dd` of GNU coreutils: Node has no such call, and the files of others stay where they are.
 * @param folders that are not there count as empty
 */
export async function dropFromPageCache(folders: readonly string[]): Promise<PageCacheFacts> {
  try {
    for (const folder of new Set(folders)) for (const file of await filesBelow(folder)) await dropFile(file);
    return { dropped: true };
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' && syscall?.startsWith('spawn')
        ? 'there is no dd of GNU coreutils here'
        : (message.trim().split('\n').at(-1) ?? message);
    return { dropped: false, reason };
  }
}

async function dropFile(file: string): Promise<void> {
  // What is not on the disk yet cannot be dropped.
  const handle = await open(file, 'r');
  await handle.sync().finally(() => handle.close());
  await run('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  const files: string[] = [];
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    // A cache of models has links to its files.
    if (entry.isFile() || (entry.isSymbolicLink() && (await stat(file)).isFile())) files.push(file);
  }
  return files;
}
