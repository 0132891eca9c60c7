/** Archives of any size for `unpack`: one large entry, and many small ones. */
import { rm, writeFile } from 'node:fs/promises';
import { unpack } from '../store/archive.js';
import { type MadeEntry, tarOf, zipOf } from './made-archives.js';

export interface GrowingArchive {
  name: string;
  write(file: string, bytes: number): Promise<void>;
  read(file: string): Promise<unknown>;
}

const one = (bytes: number): MadeEntry[] => [
  { name: 'folder/corpus.jsonl', content: '{"_id": "1", "text": "words of a passage"}\n'.repeat(bytes / 43) },
];
function* many(bytes: number): Generator<MadeEntry> {
  // Entries of the size of small files, of which most is what a file costs.
  const content = 'a line of text\n'.repeat(1000);
  for (let i = 0; i < bytes / content.length; i++) yield { name: `folder/${i % 100}/${i}.txt`, content };
}

async function unpacked(file: string): Promise<void> {
  await unpack(file, null);
  await rm(`${file}.unpacked`, { recursive: true });
}

export const growingArchives: readonly GrowingArchive[] = [
  ['tar, one entry', (bytes: number) => tarOf(one(bytes))],
  ['tar, many entries', (bytes: number) => tarOf(many(bytes))],
  ['tar.gz, one entry', (bytes: number) => tarOf(one(bytes), { packed: true })],
  ['tar, bytes behind its end', (bytes: number) => Buffer.concat([tarOf(one(1000)), Buffer.alloc(bytes)])],
  ['zip, one entry', (bytes: number) => zipOf(one(bytes))],
  ['zip, many entries', (bytes: number) => zipOf(many(bytes))],
].map(([name, made]) => ({
  name: name as string,
  write: async (file: string, bytes: number) => writeFile(file, (made as (bytes: number) => Buffer)(bytes)),
  read: unpacked,
}));
