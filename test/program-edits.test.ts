/** Sources edited, and the same runs asked for again: what depends on the edit is made anew, and nothing else. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RunRecord } from '../harness/record.js';
import { tinySettings } from './made-squad.js';
import { SmallCheckout } from './small-checkout.js';

let checkout: SmallCheckout;
before(async () => {
  checkout = await SmallCheckout.make();
});
after(() => checkout.remove());

const systems = ['bm25', 'mlr-sc', 'mlr-avg'];

interface Outcome {
  /** Stages that were made anew: `mlr-sc train`. */
  made: string[];
  records: Record<string, RunRecord>;
  stderr: string;
}

function run(...more: string[]): Outcome {
  const { stdout, stderr } = checkout.bench([
    ...['run', '--arch', systems.join(','), '--dataset', 'squad', '--data', 'data', '--seeds', '1', '--json'],
    ...['--searcher', 'exact', ...tinySettings.flatMap((setting) => ['--set', setting]), ...more],
  ]);
  const records = JSON.parse(stdout) as RunRecord[];
  const stages = records.flatMap(({ arch, stages }) =>
    stages.map((stage) => ({ arch: arch.name, ...stage })),
  );
  return {
    made: stages
      .filter(({ key, execution }) => key !== null && !execution.cached)
      .map(({ arch, name }) => `${arch} ${name}`),
    records: Object.fromEntries(records.map((record) => [record.arch.name, record])),
    stderr,
  };
}

const keysOf = ({ records }: Outcome) =>
  Object.fromEntries(
    Object.entries(records).flatMap(([arch, { stages }]) =>
      stages.flatMap(({ name, key }) => (key === null ? [] : [[`${arch} ${name}`, key] as const])),
    ),
  );

const codeOfMeasure = ({ records }: Outcome) =>
  records['mlr-sc']!.stages.find(({ name }) => name === 'measure')!.code!.modules;

const mrr = ({ records }: Outcome, arch: string) => records[arch]!.measures['mrr@10']!.mean;

const trained = (...archs: string[]) =>
  archs.flatMap((arch) => ['train', 'encode', 'queries', 'search'].map((stage) => `${arch} ${stage}`));
const terms = ['bm25 index', 'bm25 search'];

type Edit = readonly [source: string, from: string, to: string];

/** What is edited, and what that makes anew. */
const edits: readonly [what: string, made: readonly string[], ...edits: Edit[]][] = [
  [
    'represent of an architecture',
    trained('mlr-sc', 'mlr-avg'),
    ['architectures/mlr.ts', 'states.summary(layer))', 'tf.mul(states.summary(layer), 2))'],
  ],
  [
    'the loss',
    trained('mlr-sc', 'mlr-avg'),
    ['harness/train/loss.ts', 'positive)), queries)', 'positive)), tf.mul(queries, 2))'],
  ],
  [
    'a pooling',
    trained('mlr-avg'),
    ['architectures/pooling/average.ts', 'tf.mean(vectors, 1, true)', 'tf.mul(tf.mean(vectors, 1, true), 2)'],
  ],
  [
    'a rule of the tokenizer',
    trained('mlr-sc', 'mlr-avg'),
    ['harness/text/bert-tokenizer.ts', 'chars: splitChinese', 'chars: !splitChinese'],
  ],
  // The hard negatives are BM25's. They are the same ones here, which nobody knows before they are found.
  [
    'a rule of terms',
    [...terms, ...trained('mlr-sc', 'mlr-avg')],
    ['harness/text/word-break.ts', 'longestWord = 255', 'longestWord = 254'],
  ],
  ['a measure', [], ['harness/metrics/measures/mrr.ts', 'return 1 / (i + 1)', 'return 2 / (i + 2)']],
  [
    'a report, a help, progress',
    [],
    ['reports/json.ts', "'all that", "'everything that"],
    ['harness/cli/run.ts', 'Trains, encodes', 'Trains and encodes'],
    [
      'harness/progress.ts',
      'export function createProgress',
      'export const spoken = 1;\nexport function createProgress',
    ],
  ],
  ['a comment', [], ['harness/train/loss.ts', '/** ', '/** Edited. ']],
];

test('each edit makes anew what depends on it and nothing else, and what was there is found again', async (t) => {
  const first = run();
  assert.deepEqual(first.made.sort(), [...trained('mlr-sc', 'mlr-avg'), ...terms].sort());
  const keys = keysOf(first);
  const moved: string[] = [];
  for (const [what, made, ...changes] of edits) {
    for (const change of changes) await checkout.edit(...change);
    const again = run();
    assert.match(again.stderr, /^building first: .* since the last build/, what);
    assert.deepEqual(again.made.sort(), [...made].sort(), what);
    const now = keysOf(again);
    const changed = Object.keys(keys).filter((stage) => keys[stage] !== now[stage]);
    assert.deepEqual(changed.sort(), [...made].sort(), what);
    moved.push(`${what.padEnd(30)} ${changed.length === 0 ? 'none' : changed.join(', ')}`);
    const isMeasure = what === 'a measure';
    assert.equal(codeOfMeasure(again) !== codeOfMeasure(first), isMeasure, what);
    // Measured by the new code, though nothing was made anew.
    assert.equal(mrr(again, 'bm25') > mrr(first, 'bm25'), isMeasure, what);
    for (const [source] of changes) await checkout.restore(source);
  }
  const back = run();
  assert.deepEqual(back.made, []);
  for (const arch of systems) assert.deepEqual(back.records[arch]!.measures, first.records[arch]!.measures);
  t.diagnostic(`keys that moved\n${moved.join('\n')}`);
});

test('a record says from which code each artifact was made, and from which commit', () => {
  const { records } = run();
  const stages = records['mlr-sc']!.stages.filter(({ key }) => key !== null);
  for (const { name, code, execution } of stages) {
    assert.match(code!.modules, /^[0-9a-f]{20}$/, name);
    assert.ok(Object.keys(code!.libraries).length > 0, name);
    // The copy is in no git checkout of its own.
    assert.equal(execution.made!.git, null, name);
    assert.match(execution.made!.madeAt, /^\d{4}-.*Z$/, name);
  }
  const [vocabulary] = stages.find(({ name }) => name === 'train')!.execution.uses!;
  assert.equal(vocabulary!.kind, 'models');
});
