/** A run whose dev queries are ranked in a pool of their own, by the record that it leaves. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { RunRecord } from '../harness/record.js';
import { json, set, stageRoot } from './stage-commands.js';

let root: string;
before(async () => {
  root = await stageRoot();
});
after(() => rm(root, { recursive: true, force: true }));

const run = (...settings: string[]) =>
  json<RunRecord>(
    'run',
    ...['--arch', 'dual-encoder', '--dataset', 'squad', '--data', path.join(root, 'data'), ...set],
    ...['--cache', path.join(root, 'cache'), '--out', path.join(root, 'out')],
    ...settings.flatMap((setting) => ['--set', `train.${setting}`]),
  );
const ranks = ({ training }: RunRecord) => training!.epochs.map(({ dev }) => dev.averageRank!);
const checkpoint = ({ stages }: RunRecord) => stages.find(({ name }) => name === 'train')!;

test('the pool decides the average rank, and the record says what it was and what it lacks', async () => {
  // Without negatives in a batch there are still hard ones to rank against.
  const batches = await run('negatives=0');
  const pool = await run('negatives=0', 'averageRankHardNegatives=2', 'averageRankOtherNegatives=1');
  assert.deepEqual(
    pool.training!.epochs.map(({ loss }) => loss),
    batches.training!.epochs.map(({ loss }) => loss),
    'training is the same',
  );
  for (const [i, rank] of ranks(pool).entries()) assert.ok(rank > ranks(batches)[i]!, `epoch ${i}`);
  assert.notEqual(checkpoint(pool).key, checkpoint(batches).key);
  const { train } = pool.config as { train: Record<string, unknown> };
  assert.deepEqual([train.averageRankHardNegatives, train.averageRankOtherNegatives], [2, 1]);
  const { examples, tooFewHardForRank, tooFewOthersForRank } = pool.training!.examples!.dev!;
  assert.ok(tooFewHardForRank! < examples!, `${tooFewHardForRank} of ${examples}`);
  assert.equal(tooFewOthersForRank, examples, 'SQuAD lists none');
  const said = `${examples} of ${examples} dev queries bring fewer other negatives to the pool of average rank`;
  assert.ok(
    pool.warnings.some((line) => line.startsWith(said)),
    pool.warnings.join('; '),
  );
  assert.doesNotMatch(batches.warnings.join('\n'), /pool of average rank/);

  // Where no epoch is ranked in it, its size has no say in what is trained.
  const never = await run('negatives=0', 'averageRankFrom=2');
  const asked = await run('negatives=0', 'averageRankFrom=2', 'averageRankHardNegatives=2');
  assert.equal(checkpoint(asked).key, checkpoint(never).key);
  assert.equal(checkpoint(asked).execution.cached, true);
});
