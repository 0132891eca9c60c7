/** Small files that look like what they are not: each was once read as something else without a word. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import beir from '../datasets/beir.js';
import { BenchError } from '../harness/errors.js';
import { readQrels } from '../harness/interchange/qrels.js';
import { readRunFile, writeRunFile } from '../harness/interchange/run-file.js';
import { kindOfNumbers } from '../harness/interchange/third-column.js';
import { evaluate } from '../harness/metrics/evaluate.js';
import { convertRun } from '../harness/pipeline/convert.js';
import { parseMeasures } from '../harness/plugins/measures.js';
import { createProgress } from '../harness/progress.js';
import { inFixtures } from './places.js';

const folder = mkdtempSync(path.join(tmpdir(), 'strata-cases-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const at = path.join(folder, name);
  writeFileSync(at, content);
  return at;
}

async function refused(read: Promise<unknown>, pattern: RegExp, hint = /^/): Promise<void> {
  await assert.rejects(read, (error) => {
    assert.ok(error instanceof BenchError, String(error));
    assert.match(error.message, pattern);
    assert.match(error.hint ?? '', hint);
    return true;
  });
}

describe('ranks where scores may stand', () => {
  const at = (name: string) => inFixtures(`cases/msmarco-ranks/${name}`);

  test("MS MARCO's own run: MRR@10 is 1, 1/2 and 1/10, mean 0.5333", async () => {
    const { run, format } = await readRunFile(at('run.tsv'));
    assert.equal(format, 'ms-marco');
    const qrels = await readQrels(at('qrels.dev.small.tsv'));
    for (const ties of ['trec_eval', 'as-ranked'] as const) {
      const { measures, queryIds } = evaluate(run, qrels, parseMeasures(['mrr@10']), { ties });
      const { mean, perQuery } = measures.get('mrr@10')!;
      assert.deepEqual(queryIds, ['10', '11', '12']);
      assert.deepEqual([...perQuery], [1, 1 / 2, 1 / 10]);
      assert.equal(mean.toFixed(4), '0.5333');
    }
  });

  test('what the user says of the third column is done', async () => {
    assert.equal((await readRunFile(at('run.tsv'), { format: 'ms-marco' })).format, 'ms-marco');
    const { run } = await readRunFile(at('run.tsv'), { format: 'tevatron' });
    assert.deepEqual(run.get('10')!.scores, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.equal(run.get('10')!.ranks, undefined);
    const shuffled = file('shuffled.tsv', 'q\ta\t2\nq\tb\t1\n');
    assert.deepEqual((await readRunFile(shuffled, { format: 'ms-marco' })).run.get('q')!.ranks, [2, 1]);
    await refused(readRunFile(file('f.tsv', 'q\ta\t0.5\n'), { format: 'ms-marco' }), /line 1: rank '0.5'/);
  });

  for (const [what, queries, kind] of [
    ['1 to n, ascending', [[1, 2, 3], [1], [1, 2]], 'rank'],
    ['1 to n in another order', [[3, 1, 2]], 'either'],
    ['n to 1, as scores that were made from ranks', [[3, 2, 1]], 'either'],
    ['from 0', [[0, 1, 2]], 'either'],
    ['ranks that lost some', [[2, 5, 9]], 'either'],
    ['ranks beside numbers that cannot be', [[1, 2, 3], [0.5]], 'either'],
    ['fractions', [[1, 2.5]], 'score'],
    ['below 0', [[-1, 0, 1]], 'score'],
    ['a number twice', [[7, 3, 3]], 'score'],
    ['whole, descending, with gaps', [[9, 8, 5]], 'score'],
    ['one hit a query', [[4], [1]], 'score'],
  ] as const) {
    test(`${what}: ${kind}`, () => assert.equal(kindOfNumbers(queries), kind));
  }

  test('what could be either is refused with the option that says which, in JSON too', async () => {
    const hint = /--run-format ms-marco for ranks, --run-format tevatron for scores/;
    await refused(
      readRunFile(file('either.tsv', 'q a 3\nq b 2\nq c 1\n')),
      /could be a rank .* or a score/,
      hint,
    );
    const json = file('ranks.json', '{"q": {"a": 2, "b": 1}}');
    await refused(readRunFile(json), /could be ranks .* or scores/, /--run-format beir/);
    assert.deepEqual((await readRunFile(json, { format: 'beir' })).run.get('q')!.passageIds, ['a', 'b']);
  });

  test('scores that order hits against the ranks beside them decide, as in trec_eval, and it is said', async () => {
    const lines = ['q Q0 a 1 1 s', 'q Q0 b 2 2 s', 'r Q0 a 1 9 s', 'r Q0 b 2 9 s', 'r Q0 c 3 1 s'];
    const { remarks } = await readRunFile(file('against.run', lines.join('\n')));
    assert.equal(remarks.length, 1);
    assert.match(remarks[0]!, /^in 1 of 2 queries the scores order hits otherwise than the ranks/);
    // Ranks that count from anywhere, or several hits of one rank, say nothing against the scores.
    const fine = file('fine.run', 'q Q0 a 0 9 s\nq Q0 b 0 10 s\nq Q0 c 7 1 s\n');
    assert.deepEqual((await readRunFile(fine)).remarks, []);
  });

  test('what is written as ranks is read as ranks', async () => {
    const { run } = await readRunFile(at('run.tsv'));
    const out = path.join(folder, 'out.tsv');
    await writeRunFile(out, 'ms-marco', { run, tag: 't' });
    assert.equal(readFileSync(out, 'utf8'), readFileSync(at('run.tsv'), 'utf8'));
  });
});

describe('ids that JavaScript cannot hold as numbers', () => {
  test('beyond 2^53: refused, with the id as it stands in the file', async () => {
    const data = inFixtures('cases/large-ids');
    const opened = beir.open({ folder: data, fetch: () => assert.fail('nothing is fetched') });
    await refused(opened, /line 1: _id is 9007199254740993, and a string/, /"_id": "9007199254740993"/);
  });

  test('in DPR results too; a number that is exact is an id', async () => {
    const of = (id: string) => `[{"question": "q", "answers": [], "ctxs": [{"id": ${id}, "score": 1.5}]}]`;
    const read = async (id: string) => readRunFile(file('dpr.json', of(id)));
    assert.deepEqual((await read('9007199254740991')).run.get('0')!.passageIds, ['9007199254740991']);
    await refused(
      read('9007199254740993'),
      /ctxs\[0\]\.id is the number 9007199254740993, which cannot be read/,
    );
    await refused(read('1.5'), /the number 1\.5/);
  });
});

test("Pyserini's retrieval results are refused by name", async () => {
  const pyserini = inFixtures('cases/pyserini-dpr/pyserini.json');
  for (const format of [undefined, 'beir'] as const)
    await refused(
      readRunFile(pyserini, format && { format }),
      /retrieval result of Pyserini/,
      /give that run/,
    );
});

test('ids with a blank make a seventh column: refused with the line, and convert writes nothing', async () => {
  const run = inFixtures('cases/space-in-id/run.txt');
  await refused(readRunFile(run), /run\.txt, line 1: more than six columns/, /Ids hold no white space/);
  const out = path.join(folder, 'converted.run');
  await refused(convertRun({ run, to: 'trec', out }, createProgress()), /line 1: more than six columns/);
  assert.equal(existsSync(out), false);
});

describe('JSON that says a thing twice', () => {
  for (const [what, content, pattern] of [
    ['a query', '{"q": {"a": 1.5}, "r": {"a": 1}, "q": {"b": 2.5}}', /query 'q' comes twice/],
    ['a query, written otherwise', '{"q1": {"a": 1.5}, "q\\u0031": {"b": 2.5}}', /query 'q1' comes twice/],
    [
      'a passage of a query',
      '{"p": {"a": 1}, "q": {"a": 1.5, "b": 1, "a": 3}}',
      /query 'q' has the passage 'a' twice/,
    ],
  ] as const) {
    test(what, async () => refused(readRunFile(file('twice.json', content)), pattern, /once/));
  }

  test('names that hold quotes, colons and brackets are taken for what they are', async () => {
    const queries = { '{"a": 1}': { 'x":"y': 1.5, '\\': 0.5 }, a: { '"': 2.5, '}': 1.25 } };
    const { run } = await readRunFile(file('odd.json', JSON.stringify(queries, null, 1)));
    assert.deepEqual([...run.keys()], Object.keys(queries));
  });
});
