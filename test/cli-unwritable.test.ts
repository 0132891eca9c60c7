/** Where an output cannot be written that is said before anything is read: here what is to be read is missing too. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Command, execute } from '../harness/cli/command.js';
import { command as convert } from '../harness/cli/convert.js';
import { command as evaluate } from '../harness/cli/evaluate.js';
import { command as exportCommand } from '../harness/cli/export.js';
import { writtenFiles } from './written-files.js';

const { folder } = writtenFiles('strata-unwritable-');
const at = (name: string) => path.join(folder, name);
writeFileSync(at('file'), 'x');

const missing = at('missing');
const qrels = ['--qrels', missing];
const commands: readonly [name: string, Command, words: string[]][] = [
  ['evaluate', evaluate, ['--run', missing, ...qrels, '--record']],
  ['evaluate several', evaluate, ['--run', missing, '--run', `b=${missing}`, ...qrels, '--record']],
  ['export to mteb', exportCommand, ['--record', missing, '--format', 'mteb', '--out']],
  ['export to ir_metadata', exportCommand, ['--record', missing, '--format', 'ir_metadata', '--out']],
  ['convert to a record', convert, ['--run', missing, '--to', 'record', '--out']],
];

for (const [name, command, words] of commands) {
  const run = (out: string) => execute('test', command, [...words, out], () => assert.fail('printed'));
  test(`${name}: an output in whose way a file is`, async () => {
    const message = /a file is in its way/;
    await assert.rejects(run(at('file/below/x.json')), { code: 'PATH_INVALID', message });
  });

  test(`${name}: a name that is taken by the other kind`, async () => {
    const isFolder = name === 'evaluate several';
    const message = isFolder ? /a file is in its way/ : /a folder has that name/;
    await assert.rejects(run(isFolder ? at('file') : folder), { code: 'PATH_INVALID', message });
  });

  test(`${name}: a record that is there outlives a command that fails`, async () => {
    const kept = at('kept.json');
    writeFileSync(kept, 'kept');
    const out = name === 'evaluate several' ? folder : kept;
    await assert.rejects(run(out), { message: /missing/ });
    assert.equal(readFileSync(kept, 'utf8'), 'kept');
    rmSync(kept);
  });

  test(`${name}: where it can be written, what is missing is said, and nothing is left`, async () => {
    await assert.rejects(run(at('below/x.json')), { message: /missing/ });
    assert.deepEqual(readdirSync(folder), ['file']);
  });
}

test('several runs leave a folder of records, which is said before they are read', async () => {
  const [, command, words] = commands[1]!;
  const refused = execute('test', command, [...words, at('x.record.json')], () => assert.fail('printed'));
  await assert.rejects(refused, { code: 'USAGE', message: /is a file, and there are several/ });
});
