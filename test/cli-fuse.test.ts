/** `bench fuse`: files of hits as one, by hand. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/fuse.js';
import { BenchError } from '../harness/errors.js';

// Each command listens for signals.
process.setMaxListeners(50);

let folder: string;
const at = (name: string) => path.join(folder, name);
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-fuse-'));
  // The ranks of `a` are not those of its scores; `b` lacks a query, and has one of its own.
  await writeFile(at('a.run'), '1 Q0 x 2 4 a\n1 Q0 y 1 8 a\n1 Q0 z 3 2 a\n2 Q0 x 1 1 a\n4 Q0 m 1 9 a\n');
  await writeFile(at('b.json'), JSON.stringify({ 1: { y: 0.5, w: 1 }, 3: { p: 1, q: 1 }, 4: { n: 1 } }));
  await writeFile(
    at('dpr.json'),
    JSON.stringify([{ question: 'who', answers: [], ctxs: [{ id: '1', score: 1 }] }]),
  );
});
after(() => rm(folder, { recursive: true, force: true }));

/** @returns what was printed, and the lines of the run as [query, passage, score] */
async function fuse(...argv: string[]): Promise<{ text: string; hits: [string, string, number][] }> {
  let text = '';
  const code = await execute('fuse', command, [...argv, '--out', at('out.run')], (part) => {
    text += part;
  });
  assert.equal(code, 0);
  const lines = (await readFile(at('out.run'), 'utf8')).trimEnd().split('\n');
  const columns = lines.map((line) => line.split(' '));
  assert.ok(columns.every(([, q0, , , , tag]) => q0 === 'Q0' && tag === 'fused'));
  return { text, hits: columns.map(([query, , passage, , score]) => [query!, passage!, Number(score)]) };
}

const rounded = (hits: readonly [string, string, number][]) =>
  hits.map(([query, passage, score]) => `${query} ${passage} ${score.toFixed(6)}`);

test('reciprocal ranks go by scores, ties by passage id as trec_eval orders them', async () => {
  const { hits, text } = await fuse('--run', at('a.run'), '--run', at('b.json'));
  const rr = (...ranks: number[]) => ranks.reduce((sum, rank) => sum + 1 / (60 + rank), 0);
  assert.deepEqual(
    rounded(hits),
    rounded([
      ['1', 'y', rr(1, 2)],
      ['1', 'w', rr(1)],
      ['1', 'x', rr(2)],
      ['1', 'z', rr(3)],
      ['2', 'x', rr(1)],
      ['4', 'n', rr(1)],
      ['4', 'm', rr(1)],
      // Equal in b, a file of BEIR's, whose reader orders them so.
      ['3', 'q', rr(1)],
      ['3', 'p', rr(2)],
    ]),
  );
  assert.match(text, /reciprocal rank fusion, constant 60, of all hits of each system: 9 hits of 4 queries/);
  assert.match(text, /a\.run has no hits for 1 query of the others/);
  assert.match(text, /b\.json has no hits for 1 query of the others/);
});

test('sums of scores: a list that lacks a passage counts with its lowest; --depth cuts what comes out', async () => {
  const weighted = ['--set', 'fuse.method=weighted', '--set', 'fuse.weights=0.25,0.75'];
  const { hits } = await fuse('--run', at('a.run'), '--run', at('b.json'), ...weighted, '--depth', '2');
  // min-max of a: y 1, x 1/3, z 0; of b: w 1, y 0.
  assert.deepEqual(rounded(hits).slice(0, 2), ['1 w 0.750000', '1 y 0.250000']);
  assert.equal(hits.filter(([query]) => query === '1').length, 2);
});

test('fuse.depth is how many hits of each file are taken', async () => {
  const { hits } = await fuse('--run', at('a.run'), '--run', at('b.json'), '--set', 'fuse.depth=1');
  assert.deepEqual(
    hits.filter(([query]) => query === '1').map(([, passage]) => passage),
    ['y', 'w'],
  );
});

test('columns that could be ranks or scores are what --run-format says; ranks are summed as scores with a note', async () => {
  await writeFile(at('three.tsv'), '1\ty\t10\n1\tw\t20\n1\tv\t40\n');
  const runs = ['--run', at('a.run'), '--run', at('three.tsv'), '--run-format', 'trec', '--run-format'];
  const firstOf = async (...argv: string[]) => {
    const { hits, text } = await fuse(...runs, ...argv);
    return { first: hits[0]!, text };
  };
  const byRank = await firstOf('ms-marco');
  assert.equal(byRank.first[1], 'y');
  assert.doesNotMatch(byRank.text, /ranks and no scores/);
  const weights = ['--set', 'fuse.method=weighted', '--set', 'fuse.weights=0.25,0.75'];
  const summed = await firstOf('ms-marco', ...weights);
  assert.deepEqual(summed.first.slice(1), ['y', 1]);
  assert.match(summed.text, /note: .*three\.tsv has ranks and no scores/);
  const scored = await firstOf('tevatron', ...weights);
  assert.deepEqual(scored.first.slice(1), ['v', 0.75]);
  assert.doesNotMatch(scored.text, /ranks and no scores/);
});

test('a file that cannot be written is known before anything is read', async () => {
  const argv = ['--run', at('none'), '--run', at('none'), '--out', folder];
  await assert.rejects(
    execute('fuse', command, argv, () => undefined),
    {
      code: 'PATH_INVALID',
      message: /a folder has that name/,
    },
  );
});

test('what cannot be fused is refused, with what to do', async () => {
  const refused = (argv: string[], code: string, what: RegExp) =>
    assert.rejects(fuse(...argv), (error) => {
      assert.ok(error instanceof BenchError);
      assert.equal(error.code, code);
      assert.match(`${error.message} ${error.hint}`, what);
      return true;
    });
  const [a, b] = [at('a.run'), at('b.json')];
  await refused(['--run', a], 'USAGE', /alone.*--run FILE for each/);
  await refused(['--run', a, '--run', at('none')], 'PATH_INVALID', /none/);
  await refused(['--run', a, '--run', at('dpr.json')], 'USAGE', /no query ids.*bench convert/);
  await refused(
    ['--run', a, '--run', b, '--set', 'search.depth=3'],
    'USAGE',
    /search\.depth=3 plays no part/,
  );
  await refused(
    ['--run', a, '--run', b, '--set', 'fuse.weights=1,2'],
    'CONFIG_INVALID',
    /fuse\.method=weighted/,
  );
  await writeFile(at('three.tsv'), '1\ty\t10\n1\tw\t20\n');
  await refused(['--run', a, '--run', at('three.tsv')], 'RECORD_INVALID', /rank.*or a score.*--run-format/);
  const two = ['--run', a, '--run', b];
  await refused([...two, '--run-format', 'trec'], 'USAGE', /1 format .*2 runs.*once for each/);
  await refused([...two, '--run-format', 'trac', '--run-format', 'beir'], 'UNKNOWN_NAME', /trec/);
  // A sum that is no number is behind none, and was not among the hits that are kept.
  await writeFile(at('large.run'), '1 Q0 a 1 1e300 l\n1 Q0 y 2 2 l\n');
  const large = ['--run', a, '--run', at('large.run'), '--set', 'fuse.method=weighted', '--depth', '1'];
  await refused(large, 'DATA_INVALID', /large\.run: query '1', passage 'a': a score of 1e\+300.*float32/);
  await refused(
    [...two, '--set', 'fuse.normalization=none'],
    'USAGE',
    /fuse\.normalization plays no part in fuse\.method=rrf.*fuse\.method=weighted/,
  );
  await refused([...two, '--tag', 'my run'], 'DATA_INVALID', /tag "my run"/);
  const three = ['--set', 'fuse.method=weighted', '--set', 'fuse.weights=1,2,3'];
  await refused(['--run', a, '--run', b, ...three], 'CONFIG_INVALID', /3 numbers for 2 systems/);
});
