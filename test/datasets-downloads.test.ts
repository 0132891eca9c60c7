/** What every dataset downloads, against a second copy: a size or hash that was mistyped would be found by a download alone. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { DatasetPlugin } from '../harness/contracts.js';
import { root } from './places.js';

const built = path.join(import.meta.dirname, '../datasets');

/** A line for each file: dataset, name, bytes, hash, licence and address, or what is to be done where there is none. */
async function downloads(): Promise<string[]> {
  const lines: string[] = [];
  for (const file of readdirSync(built).filter((name) => name.endsWith('.js'))) {
    const module = (await import(pathToFileURL(path.join(built, file)).href)) as { default: DatasetPlugin };
    const { variants, downloads: of } = module.default;
    for (const variant of variants ?? [undefined])
      for (const { name, url, sizeBytes, sha256, md5, licence, instructions } of of(variant)) {
        const hash = [sha256 && `sha256 ${sha256}`, md5 && `md5 ${md5}`].filter(Boolean).join(' ') || '-';
        const dataset = [path.basename(file, '.js'), variant].filter(Boolean).join('/');
        lines.push([dataset, name, sizeBytes, hash, licence, url || instructions].join('\t'));
      }
  }
  return lines;
}

test('files, bytes, hashes, licences and addresses are those of test/golden/downloads.tsv', async () => {
  const golden = readFileSync(path.join(root, 'test/golden/downloads.tsv'), 'utf8').trimEnd().split('\n');
  const found = await downloads();
  const moved = [
    ...golden.filter((line) => !found.includes(line)).map((line) => `- ${line}`),
    ...found.filter((line) => !golden.includes(line)).map((line) => `+ ${line}`),
  ];
  assert.deepEqual(moved, []);
  assert.deepEqual(found, golden, 'their order');
});
