/** Files that a test writes, each under a name of its own; they go when the tests of the file have ended, and none is open then. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { removeClosed } from './open-files.js';

/** @param prefix of the folder's name */
export function writtenFiles(prefix: string): {
  folder: string;
  fileOf(content: string | Uint8Array, extension?: string): string;
} {
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  after(() => removeClosed(folder));
  let written = 0;
  const fileOf = (content: string | Uint8Array, extension = '.txt') => {
    const file = path.join(folder, `${written++}${extension}`);
    writeFileSync(file, content);
    return file;
  };
  return { folder, fileOf };
}
