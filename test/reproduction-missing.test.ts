/** A grid some of whose collections nobody can fetch. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { reproduceCommand } from '../harness/cli/reproduce.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import type { ReproductionDocument } from '../harness/reproduction/document.js';
import { count } from '../harness/sweep/counts.js';
import { assertRunnable } from '../harness/sweep/runnable.js';
import { train } from '../harness/sweep/trainings.js';
import { sweep } from '../harness/sweep.js';
import { grid, gridOptions } from './tiny-grid.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-missing-'));
});
after(() => rm(root, { recursive: true, force: true }));

/** Nothing is tried. */
const untimed = async () => ({ runs: [], seconds: 0, unknown: 0, reasons: ['not tried here'] });

test('what nobody can fetch stops the grid before its first run, or is left out where that is asked for', async () => {
  const private_ = {
    label: 'Robust',
    dataset: 'beir/robust04',
    columns: [{ label: 'NDCG', measure: 'ndcg@10' }],
  };
  const { rows, groups, average, ...rest } = grid;
  const some = path.join(root, 'some.json');
  const published = [1, 2, 3];
  const row = { ...rows[1]!, published };
  await writeFile(some, JSON.stringify({ ...rest, average, groups: [groups[1], private_], rows: [row] }));
  const [only, untrained] = [path.join(root, 'only.json'), path.join(root, 'untrained.json')];
  const evaluated = { ...rest, groups: [private_], rows: [{ ...row, published: [1] }] };
  await writeFile(only, JSON.stringify(evaluated));
  const trained = { ...rest, trainOn: 'beir/robust04', groups, rows: [{ ...row, published: [1, 2] }] };
  await writeFile(untrained, JSON.stringify(trained));
  const { folders, flags } = gridOptions(root, 'paper');
  const out = path.join(root, 'without');
  let printed = '';
  let asked: string[] = [];
  const listed =
    <A extends unknown[], R>(make: (requests: readonly RunRequest[], ...rest: A) => R) =>
    (requests: readonly RunRequest[], ...rest: A): R => {
      asked.push(...requests.map(({ dataset }) => dataset));
      return make(requests, ...rest);
    };
  const command = reproduceCommand(
    async () => ({
      assertRunnable,
      sweep: listed(sweep),
      train: listed(train),
      count,
    }),
    untimed,
  );
  const on = (name: string, ...more: string[]) => {
    [printed, asked] = ['', []];
    // A folder that the grid has no use for is refused.
    const own = [...folders].filter(([dataset]) => name !== only || dataset === 'squad');
    const data = own.flatMap(([dataset, folder]) => ['--data', `${dataset}=${folder}`]);
    const places = ['--out', out, '--cache', String(flags.cache), '--offline'];
    return execute('reproduce', command, [name, ...more, ...data, ...places], (text) => {
      printed += text;
    });
  };
  await assert.rejects(on(some), { code: 'PATH_INVALID', message: /^beir\/robust04 cannot be downloaded/ });
  assert.equal(await on(some, '--dry-run', '--without-missing'), 0);
  assert.match(printed, /^MISSING.*: beir\/robust04/m);
  assert.deepEqual(asked, [], 'neither makes a run');

  assert.equal(await on(some, '--without-missing'), 0, 'it was asked for, so it is no failure');
  assert.deepEqual(asked, ['squad', 'beir/nfcorpus']);
  assert.match(printed, /^one vector +\d+\.\d +1\.0 +\S+$/m);
  assert.match(printed, /^one vector +– +2\.0 +–$/m);
  assert.match(printed, /Left out, for want of a dataset that cannot be downloaded: Robust\./);
  const text = await readFile(path.join(out, 'some-paper.json'), 'utf8');
  const [{ figures }] = (JSON.parse(text) as ReproductionDocument).rows as [ReproductionDocument['rows'][0]];
  assert.deepEqual(figures[1]!.ours, { reason: 'left out' });
  assert.equal('value' in figures[0]!.ours, true);
  // No average over fewer collections than the one beside it.
  assert.deepEqual(figures[2]!.ours, {
    ...{ reason: 'not measured', code: 'absent', message: '1 of 2 figures are absent' },
  });

  // With a training goes all that is evaluated with its checkpoint, and a training that nothing is left for.
  for (const name of [untrained, only])
    await assert.rejects(on(name, '--without-missing'), {
      code: 'PATH_INVALID',
      message: 'Without beir/robust04 nothing of this grid is left to run.',
    });
  assert.deepEqual(asked, []);
  const alone = (...more: string[]) =>
    execute('reproduce', command, ['table5', ...more], (line) => {
      printed += line;
    });
  await assert.rejects(alone('--data', `beir/robust04=${root}`), /beir\/trec-news, beir\/bioasq.* cannot be/);
  printed = '';
  assert.equal(await alone('--dry-run'), 0);
  assert.match(printed, /^MISSING.*: beir\/trec-news, beir\/robust04, beir\/bioasq/m);
});
