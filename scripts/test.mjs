// Runs the tests in dist/test: all, or those whose files begin with a name. `npm test -- statistics` runs one room's,
// `npm test -- statistics-quantiles` one file's, and options of node --test (--test-name-pattern=...) may follow.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'dist', 'test');
const files = readdirSync(folder).filter((file) => file.endsWith('.test.js'));
const given = process.argv.slice(2);
const options = given.filter((word) => word.startsWith('--'));
// A file's name as it is written in the checkout, with or without its folder, is a name too.
const names = given
  .filter((word) => !word.startsWith('--'))
  .map((word) => path.basename(word).replace(/(\.test)?\.(ts|js)$/, ''));
const chosen = files.filter(
  (file) =>
    names.length === 0 || names.some((name) => file.startsWith(`${name}-`) || file === `${name}.test.js`),
);
const unknown = names.filter((name) => !chosen.some((file) => file.startsWith(name)));
if (unknown.length > 0) {
  const rooms = [...new Set(files.map((file) => file.replace(/(-.*)?\.test\.js$/, '')))].sort();
  process.stderr.write(
    `test: no test is named ${unknown.join(', ')}.\nRooms with tests: ${rooms.join(', ')}\n`,
  );
  process.exit(2);
}
// node's own is a file at a time where there are two cores, while many files wait for processes, locks and servers.
const atOnce = `--test-concurrency=${availableParallelism()}`;
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-reporter=spec', atOnce, ...options, ...chosen.map((file) => path.join(folder, file))],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
