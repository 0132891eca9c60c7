import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/power.js';
import type { PairPower, QueryPower } from '../harness/comparison.js';
import { BenchError } from '../harness/errors.js';
import { queriesNeeded, smallestDifference } from '../harness/statistics/power.js';
import { given, ones } from './given-records.js';
import { stored, writeRecords } from './made-records.js';

const folder = mkdtempSync(path.join(tmpdir(), 'bench-power-'));
after(() => rmSync(folder, { recursive: true }));

async function power(...argv: string[]): Promise<string> {
  let printed = '';
  const exitCode = await execute('power', command, argv, (text) => {
    printed += text;
  });
  assert.equal(exitCode, 0);
  return printed;
}

async function refused(...argv: string[]): Promise<BenchError> {
  const error = await power(...argv).catch((reason: unknown) => reason);
  assert.ok(error instanceof BenchError, `not refused: ${argv.join(' ')}`);
  return error;
}

const target = { power: 0.8, alpha: 0.05 };

test('an assumed spread gives the smallest difference, the power and the queries needed', async () => {
  const text = await power('--deviation', '0.3', '--queries', '50', '--difference', '0.01');
  const smallest = smallestDifference({ test: 'paired t', deviation: 0.3 }, 50, target)!;
  const needed = queriesNeeded({ test: 'paired t', deviation: 0.3 }, 0.01, target)!;
  // As R's power.t.test says: n = 7066.
  assert.equal(needed, 7066);
  assert.match(text, /^test +queries +spread +smallest at 80 % +power for 0.01 +queries for 0.01$/m);
  assert.match(
    text,
    new RegExp(`^paired t +50 +deviation 0.3000 +${smallest.toFixed(4)} +5.6 % +7,066$`, 'm'),
  );
  const changed = JSON.parse(await power('--changed', '0.1', '--difference', '0.02', '--json')) as QueryPower;
  assert.deepEqual(Object.keys(changed), ['spread', 'wanted']);
  assert.equal(
    changed.wanted!.queriesNeeded,
    queriesNeeded({ test: 'McNemar exact', discordant: 0.1 }, 0.02, target),
  );
  assert.match(
    await power('--changed', '0.01', '--queries', '100'),
    / none\n[\s\S]*would not find it in 80 % of such sets, were all of them won by one system/,
  );
});

test('more tests together and more power need more queries', async () => {
  const needed = async (...more: string[]) => {
    const asked = ['--deviation', '0.3', '--difference', '0.05', '--json', ...more];
    return (JSON.parse(await power(...asked)) as QueryPower).wanted!.queriesNeeded!;
  };
  const plain = await needed();
  assert.ok((await needed('--tests', '27')) > plain && (await needed('--power', '0.9')) > plain);
});

test('records give the spread of each pair and measure, by the test that compare would make', async () => {
  const files = writeRecords(path.join(folder, 'made'), [
    ...[1, 2].flatMap((seed) => [stored({ seed }), stored({ arch: 'mlr-sc', seed, lift: 0.1 })]),
  ]);
  const pairs = JSON.parse(await power(...files, '--json')) as PairPower[];
  assert.deepEqual(
    pairs.map(({ measure, seeds, power: found }) => [measure, seeds, found!.spread.test]),
    [
      ['answer@20', 2, 'paired t'],
      ['mrr@10', 2, 'paired t'],
    ],
  );
  const a = given({ measures: { 'success@5': ones(50, 100), same: ones(9, 100) } });
  const b = given({ arch: 'other', measures: { 'success@5': ones(70, 100), same: ones(9, 100) } });
  const two = writeRecords(path.join(folder, 'given'), [a, b]);
  const [first, second] = JSON.parse(await power(...two, '--json')) as PairPower[];
  assert.deepEqual(first!.power!.spread, { test: 'McNemar exact', discordant: 0.2 });
  assert.equal(second!.power, undefined);
  const text = await power(...two, '--queries', '1000');
  assert.match(text, /^other +success@5 +McNemar exact +1,000 +20 % change +0\.\d{4}$/m);
  assert.match(text, /note: other same: the two differ on no query/);
  assert.match(
    (await refused(a.file, '--deviation', '1')).message,
    /--deviation cannot be given with run records/,
  );
  assert.match((await refused(two[0]!)).message, /needs two systems/);
});

test('what cannot be asked is refused with what was seen', async () => {
  assert.match((await refused()).message, /needs --deviation or --changed, and neither was given/);
  assert.match((await refused('--deviation', '1', '--changed', '0.1')).message, /both were given/);
  assert.match((await refused('--deviation', '1')).message, /needs --queries, --difference or both/);
  assert.match((await refused('--deviation', '0', '--queries', '9')).message, /above 0, not 0/);
  assert.match((await refused('--changed', '1.5', '--queries', '9')).message, /at most 1, not 1.5/);
  for (const more of ['0.2', '-0.2']) {
    const { message } = await refused('--changed', '0.1', '--difference', more);
    assert.match(message, /--difference -?0.2 is more than --changed 0.1/);
  }
  assert.match((await refused('--deviation', '1', '--queries', '1')).message, /whole number from 2, not 1/);
  assert.match((await refused('--deviation', '1', '--queries', '0')).message, /whole number from 1, not '0'/);
  assert.match((await refused('--deviation', '1', '--queries', '9', '--power', '80')).message, /1, not 80/);
  assert.match((await refused('--deviation', '1', '--queries', '9', '--tests', '0')).message, /not '0'/);
  assert.match((await refused('--deviation', '1', '--queries', '9', '--difference', 'x')).message, /not 'x'/);
  assert.match(
    (await refused('--deviation', '1', '--queries', '9', '--measure', 'mrr')).message,
    /only be given with/,
  );
});
