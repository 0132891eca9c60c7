/** What can be measured with `npm run perf` is named where people look for it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from './places.js';

test('every measurement of speed stands in the table of CONTRIBUTING, and no other', () => {
  const there = readdirSync(path.join(root, 'harness/perf')).flatMap(
    (file) => /^perf-(.*)\.ts$/.exec(file)?.[1] ?? [],
  );
  const page = readFileSync(path.join(root, 'CONTRIBUTING.md'), 'utf8');
  const table = page.slice(page.indexOf('| `perf --` |')).split('\n\n')[0]!;
  const named = table
    .split('\n')
    .slice(2)
    .flatMap((row) => [...row.split('|')[1]!.matchAll(/`([a-z0-9-]+)`/g)].map(([, name]) => name!));
  assert.deepEqual(named.sort(), there.sort());
});
