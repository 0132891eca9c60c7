/** What a terminal takes for orders, in names that others gave, never reaches one; data stays what it is. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Command, execute } from '../harness/cli/command.js';
import { describeFailure } from '../harness/cli/failure.js';
import { renderList, renderTable } from '../harness/cli/table.js';
import { BenchError } from '../harness/errors.js';
import { printable, printableName } from '../harness/printable.js';
import { createProgress } from '../harness/progress.js';
import { root } from './places.js';
import { writtenFiles } from './written-files.js';

const { folder } = writtenFiles('strata-printable-');
const evil = 'name\u001b[31m\u001b]0;title\u0007\u009b2J\u202eoverride\r';
const orders = /(?!\n|\t)[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

test('every control character is written out, line ends and tabs of a text stay', () => {
  for (let code = 0; code < 0xa0; code++) {
    const character = String.fromCharCode(code);
    const stays = (code >= 0x20 && code < 0x7f) || character === '\n' || character === '\t';
    assert.equal(printable(character) === character, stays, `U+${code.toString(16)}`);
  }
  assert.equal(printable('a\u001b\u202e\n\tb'), 'a\\u001b\\u202e\n\tb');
  assert.equal(printableName('a\n\tb\u2028'), 'a\\u000a\\u0009b\\u2028');
  assert.equal(printable('Zoë 数 👩‍👩‍👧 \u200f'), 'Zoë 数 👩‍👩‍👧 \u200f');
  // JSON means the same.
  const json = JSON.stringify({ [evil]: evil });
  assert.deepEqual(JSON.parse(printable(json)), JSON.parse(json));
});

test('tables and lists stay in their columns', () => {
  const table = renderTable(
    ['query', 'p@1'],
    [
      [evil, '1.0'],
      ['q\n2', '0.5'],
    ],
    'lr',
    1,
  );
  assert.equal(table.split('\n').length, 5);
  assert.doesNotMatch(table, orders);
  assert.equal(
    new Set(
      table
        .trimEnd()
        .split('\n')
        .map(({ length }) => length),
    ).size,
    1,
  );
  assert.doesNotMatch(renderList([{ name: evil, summary: evil }]), orders);
});

test('progress on a terminal and elsewhere: stages, notes, remarks, what they are within', () => {
  for (const isTTY of [true, false]) {
    const written: string[] = [];
    const output = { isTTY, columns: 200, write: (text: string) => written.push(text) };
    const progress = createProgress({ output, now: () => written.length * 60_000 });
    progress.within(evil);
    const stage = progress.stage(evil, 10, evil);
    stage.update(1, evil);
    stage.update(2, evil);
    stage.end(evil);
    progress.note(evil);
    progress.remark(evil);
    assert.ok(written.length >= 5);
    for (const text of written) assert.doesNotMatch(text.replace('\r\u001b[2K', ''), orders);
  }
});

test('a command prints text that is safe, and data as it is where no terminal reads it', async () => {
  const command: Command = {
    usage: '',
    description: '',
    options: {},
    examples: [],
    async run(_, __, print) {
      print(`${evil}\n`);
      print(`${evil}\n`, 'data');
      return 0;
    },
  };
  const printed: string[] = [];
  const before = process.stdout.isTTY;
  try {
    for (const isTTY of [false, true]) {
      process.stdout.isTTY = isTTY;
      await execute('test', command, [], (text) => printed.push(text));
    }
  } finally {
    process.stdout.isTTY = before;
  }
  const safe = `${printable(evil)}\n`;
  assert.deepEqual(printed, [safe, `${evil}\n`, safe, safe]);
});

test('errors of the command line, of files and of ids', () => {
  assert.match(describeFailure(new BenchError('USAGE', evil)), /name/);
  const bench = (...argv: string[]) => {
    const { stdout, stderr } = spawnSync(process.execPath, [path.join(root, 'scripts/bench.mjs'), ...argv], {
      encoding: 'utf8',
      cwd: folder,
    });
    assert.match(stderr + stdout, /\\u001b\[31m|\\u009b31m/, argv.join(' '));
    assert.doesNotMatch(stderr + stdout, orders, argv.join(' '));
    return stdout;
  };
  bench(evil);
  bench('run', '--arch', evil, '--dataset', 'sample');
  bench('run', '--arch', 'bm25', '--dataset', evil);
  bench('run', `--${evil}`);
  bench('evaluate', '--run', evil, '--qrels', evil);
  bench('list', evil);
  bench('run', '--arch', 'bm25', '--dataset', 'sample', '--set', `train.${evil}=1`);
  const [run, qrels] = ['run', 'qrels'].map((name) => path.join(folder, name)) as [string, string];
  // Lower ones part the columns of a run.
  const id = 'name\u009b31m\u202e';
  writeFileSync(qrels, `${id} 0 p1 1\n`);
  writeFileSync(run, `${id} Q0 p1 1 2.5 x\n${id} Q0 p2 2 1.5 x\n`);
  const text = bench('evaluate', '--run', run, '--qrels', qrels, '--measure', 'p@1', '--per-query');
  assert.match(text, /^name\\u009b.* {2}1\.0000$/m);
  writeFileSync(run, `${id} Q0 p1 1 ${id} x\n`);
  bench('evaluate', '--run', run, '--qrels', qrels);
  mkdirSync(path.join(folder, 'cache', 'hub', evil), { recursive: true });
  bench('cache', '--cache', path.join(folder, 'cache'));
});
