/** Files of hits made elsewhere, of the tiny collection, and requests of them as systems. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { passingFolder } from './places.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

/** @param name of the folder that they lie in */
export async function givenRuns(name: string) {
  const root = passingFolder(name);
  await writeTinyCollection(path.join(root, 'data'));
  return {
    root,
    tiny: (file: string, ...set: string[]) => tinyRequest(root, `run:${file}`, 1, ...set),
    /** @param hits lines of TREC's format but for the last column @returns the file */
    async lines(file: string, ...hits: string[]): Promise<string> {
      const target = path.join(root, file);
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, hits.map((hit) => `${hit} other\n`).join(''));
      return target;
    },
  };
}
