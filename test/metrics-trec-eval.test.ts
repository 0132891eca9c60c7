/** The evaluator against trec_eval: its own test data, and values its code gave for awkward small runs. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Qrels, Ranking, Run } from '../harness/contracts.js';
import { readQrels } from '../harness/interchange/qrels.js';
import { readRun } from '../harness/interchange/trec.js';
import { type EvaluateOptions, evaluate } from '../harness/metrics/evaluate.js';
import { parseMeasures } from '../harness/plugins/measures.js';
import { inFixtures, root } from './places.js';

const data = path.join(process.env.STRATA_TEST_DATA ?? path.join(root, '../shared/data'), 'trec_eval');
const skip = existsSync(data) ? false : `no ${data}: set STRATA_TEST_DATA`;

/** Our id of a measure as trec_eval prints it; undefined for what is not measured here. */
function ourId(printed: string): string | undefined {
  if (printed === 'map' || printed === 'ndcg') return printed;
  if (printed === 'recip_rank') return 'mrr';
  if (printed === 'Rprec' || printed === 'bpref') return printed.toLowerCase();
  const cut = /^(P|recall|ndcg_cut|map_cut|success)_(\d+)$/.exec(printed);
  if (cut === null) return undefined;
  const families: Record<string, string> = { P: 'p', ndcg_cut: 'ndcg', map_cut: 'map' };
  return `${families[cut[1]!] ?? cut[1]}@${cut[2]}`;
}

// The commands are those of trec_eval's Makefile, target quicktest.
const printouts: {
  out: string;
  qrels: string;
  run: string;
  options: Omit<EvaluateOptions, 'ties'>;
  /** Figures of ours in the file: a parser that finds fewer has lost some. */
  figures: number;
}[] = [
  {
    out: 'out.test',
    qrels: 'qrels.test',
    run: 'results.test',
    options: { queries: 'judged-and-run' },
    figures: 13,
  },
  {
    out: 'out.test.a',
    qrels: 'qrels.test',
    run: 'results.test',
    options: { queries: 'judged-and-run' },
    figures: 44,
  },
  {
    out: 'out.test.aq',
    qrels: 'qrels.test',
    run: 'results.test',
    options: { queries: 'judged-and-run' },
    figures: 176,
  },
  {
    out: 'out.test.aqc',
    qrels: 'qrels.test',
    run: 'results.trunc',
    options: { queries: 'judged' },
    figures: 176,
  },
  { out: 'out.test.aqcM', qrels: 'qrels.test', run: 'results.trunc', options: { depth: 100 }, figures: 176 },
  {
    out: 'out.test.aql',
    qrels: 'qrels.rel_level',
    run: 'results.test',
    options: { queries: 'judged-and-run', relevance: 2 },
    figures: 176,
  },
  { out: 'out.test.meas_params', qrels: 'qrels.test', run: 'results.test', options: {}, figures: 44 },
];

for (const { out, qrels, run, options, figures } of printouts) {
  test(`${out}: every figure to all printed digits`, { skip }, async () => {
    const lines = readFileSync(path.join(data, out), 'utf8').trimEnd().split('\n');
    const printed = lines.flatMap((line) => {
      const [name, queryId, value] = line.split('\t').map((column) => column.trim());
      const id = ourId(name!);
      return id === undefined ? [] : [{ id, queryId: queryId!, value: value! }];
    });
    assert.equal(printed.length, figures);
    const { measures, queryIds } = evaluate(
      (await readRun(path.join(data, run))).run,
      await readQrels(path.join(data, qrels)),
      parseMeasures([...new Set(printed.map(({ id }) => id))]),
      { ties: 'trec_eval', ...options },
    );
    for (const { id, queryId, value } of printed) {
      const { mean, perQuery } = measures.get(id)!;
      const ours = queryId === 'all' ? mean : perQuery[queryIds.indexOf(queryId)]!;
      assert.equal(ours.toFixed(4), value, `${id} of query ${queryId}`);
    }
  });
}

interface Case {
  relevance: number;
  run: Record<string, Record<string, number>>;
  qrels: Record<string, Record<string, number>>;
  values: Record<string, Record<string, number>>;
}

// See make-values.py beside the file.
const cases = JSON.parse(readFileSync(inFixtures('trec-eval/values.json'), 'utf8')) as Case[];

function runOf(scored: Case['run']): Run {
  const entries = Object.entries(scored).map(([queryId, hits]): [string, Ranking] => [
    queryId,
    { passageIds: Object.keys(hits), scores: Object.values(hits) },
  ]);
  return new Map(entries);
}

function qrelsOf(judged: Case['qrels']): Qrels {
  return new Map(Object.entries(judged).map(([queryId, each]) => [queryId, new Map(Object.entries(each))]));
}

for (const [number, { relevance, run, qrels, values }] of cases.entries()) {
  test(`awkward runs, ${number}: values of trec_eval's code, relevance ${relevance}`, () => {
    const { measures, queryIds } = evaluate(runOf(run), qrelsOf(qrels), parseMeasures(Object.keys(values)), {
      ties: 'trec_eval',
      relevance,
    });
    for (const [id, byQuery] of Object.entries(values)) {
      const { perQuery } = measures.get(id)!;
      for (const [queryId, value] of Object.entries(byQuery)) {
        const ours = perQuery[queryIds.indexOf(queryId)]!;
        assert.ok(Math.abs(ours - value) < 1e-12, `${id} of ${queryId}: ${ours}, trec_eval ${value}`);
      }
    }
  });
}

test('the awkward runs hold ties that only the 32-bit comparison makes', () => {
  const close = cases.some(({ run }) =>
    Object.values(run).some((hits) => {
      const scores = [...new Set(Object.values(hits))];
      return new Set(scores.map(Math.fround)).size < scores.length;
    }),
  );
  assert.ok(close);
});
