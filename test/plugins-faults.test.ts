/** What a plug-in throws is told as its fault, not as a bug of bench. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { BenchError, foreignFault } from '../harness/errors.js';
import { cli, root } from './places.js';

const work = mkdtempSync(path.join(tmpdir(), 'strata-faults-'));
after(() => rmSync(work, { recursive: true, force: true }));

const built = path.dirname(path.dirname(cli));

/** An error with the stack of one that was thrown there. */
function thrownIn(...frames: string[]): Error {
  const error = new Error('line 3 has no tab');
  error.stack = [`Error: ${error.message}`, ...frames.map((frame) => `    at ${frame}`)].join('\n');
  return error;
}

test('the innermost file decides whose fault it is', () => {
  const mine = `async open (file://${built}/datasets/mine.js:3:9)`;
  const ours = `openDataset (file://${built}/harness/pipeline/prepare.js:20:3)`;
  for (const frames of [
    [mine, ours],
    ['JSON.parse (<anonymous>)', 'async readFile (node:internal/fs/promises:5:1)', mine, ours],
    [`file://${built}/reports/html/charts.js:1:2`],
    [`Object.represent (file://${built}/architectures/pooling/mine.js:1:2)`, ours],
  ]) {
    const fault = foreignFault(thrownIn(...frames));
    assert.ok(fault instanceof BenchError, frames[0]);
    assert.equal(fault.code, 'PLUGIN_FAILED');
    assert.match(fault.message, /^The plug-in [\w/-]+\.ts failed: line 3 has no tab$/);
  }
  for (const frames of [[ours, mine], [`open (file:///elsewhere/dist/datasets/mine.js:3:9)`, ours], []]) {
    const error = thrownIn(...frames);
    assert.equal(foreignFault(error), error);
  }
  const own = new BenchError('DATA_INVALID', 'told');
  assert.equal(foreignFault(own), own);
});

test('a command that a plug-in fails under ends with 2, names it, and keeps the stack', () => {
  // A report as it is, given a record that its code cannot have seen: here its input is taken away from it.
  const broken = path.join(work, 'broken.mjs');
  writeFileSync(
    broken,
    `import { reportFailure } from '${new URL('../harness/cli/failure.js', import.meta.url)}';
    import report from '${new URL('../reports/csv.js', import.meta.url)}';
    try { report.render({}); } catch (error) { process.exit(reportFailure(error)); }`,
  );
  const { status, stderr } = spawnSync(process.execPath, [broken], { cwd: root, encoding: 'utf8' });
  assert.equal(status, 2, stderr);
  assert.match(
    stderr,
    /^error PLUGIN_FAILED: The plug-in reports\/csv\.ts failed: .+\nhint: .+\nTypeError: /,
  );
  assert.doesNotMatch(stderr, /bug in bench/);
});
