/** Files that a test writes, each under a name of its own; they go when the tests of the file have ended. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';

/** @param prefix of the folder's name */
export function writtenFiles(prefix: string): {
  folder: string;
  fileOf(content: string | Uint8Array): string;
} {
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let written = 0;
  const fileOf = (content: string | Uint8Array) => {
    const file = path.join(folder, `${written++}.txt`);
    writeFileSync(file, content);
    return file;
  };
  return { folder, fileOf };
}
