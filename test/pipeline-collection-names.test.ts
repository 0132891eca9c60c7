/** Collections of one's own: each has a name, and judgements are the same whatever file holds them. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { type Command, execute } from '../harness/cli/command.js';
import { command as compare } from '../harness/cli/compare.js';
import { command as evaluate } from '../harness/cli/evaluate.js';
import { command as report } from '../harness/cli/report.js';
import { command as run } from '../harness/cli/run.js';
import { BenchError } from '../harness/errors.js';
import { datasetsNamed, loadDataset } from '../harness/plugins.js';
import type { RunRecord } from '../harness/record.js';

const root = await mkdtemp(path.join(tmpdir(), 'strata-names-'));
after(() => rm(root, { recursive: true, force: true }));

async function printedBy(command: Command, ...argv: string[]): Promise<string> {
  let printed = '';
  const print = (text: string) => {
    printed += text;
  };
  assert.equal(await execute('test', command, argv, print), 0);
  return printed;
}

const runs = async (...argv: string[]): Promise<RunRecord[]> => {
  const out = argv.includes('--out') ? [] : ['--out', path.join(root, 'out')];
  const places = ['--cache', path.join(root, 'cache'), ...out];
  const asked = ['--arch', 'bm25', '--measures', 'mrr@10', '--json', ...places, ...argv];
  return [JSON.parse(await printedBy(run, ...asked))].flat() as RunRecord[];
};

async function collection(name: string, word: string): Promise<string> {
  const folder = path.join(root, name);
  await mkdir(path.join(folder, 'qrels'), { recursive: true });
  await writeFile(
    path.join(folder, 'corpus.jsonl'),
    `{"_id":"a","text":"${word}"}\n{"_id":"b","text":"sea"}\n`,
  );
  await writeFile(path.join(folder, 'queries.jsonl'), `{"_id":"q","text":"${word}"}\n`);
  await writeFile(path.join(folder, 'qrels', 'test.tsv'), 'q\ta\t1\n');
  return folder;
}
const folders = {
  medical: await collection('medical', 'fever'),
  legal: await collection('legal notes', 'law'),
};

test('a collection is called what the user says, else as its folder; published ones keep their names', async () => {
  const nameOf = async (...argv: string[]) => (await runs(...argv)).map(({ dataset }) => dataset.name);
  assert.deepEqual(await nameOf('--dataset', 'beir', '--data', folders.medical), ['beir:medical']);
  assert.deepEqual(await nameOf('--dataset', 'beir', '--data', folders.legal), ['beir:legal-notes']);
  assert.deepEqual(await nameOf('--dataset', 'beir:mine', '--data', folders.medical), ['beir:mine']);
  assert.deepEqual(await nameOf('--dataset', 'beir/scifact', '--data', folders.medical), ['beir/scifact']);
});

test('what a collection is called makes nothing anew', async () => {
  const [, again] = [
    await runs('--dataset', 'beir:one', '--data', folders.medical),
    await runs('--dataset', 'beir:two', '--data', folders.medical),
  ];
  assert.equal(again[0]!.dataset.name, 'beir:two');
  assert.equal(again[0]!.stages.find(({ name }) => name === 'search')!.execution.cached, true);
});

test('two collections of one layout in one command, each from its folder, are two sections with names', async () => {
  const out = path.join(root, 'two');
  const data = ['--data', `beir:medical=${folders.medical}`, '--data', `beir:legal=${folders.legal}`];
  const records = await runs('--dataset', 'beir:medical,beir:legal', ...data, '--out', out);
  assert.deepEqual(
    records.map(({ dataset }) => dataset.name),
    ['beir:medical', 'beir:legal'],
  );
  assert.deepEqual(
    records.map(({ measures }) => measures['mrr@10']!.mean),
    [1, 1],
  );
  const page = await printedBy(report, out, '--format', 'markdown');
  assert.match(page, /beir:medical/);
  assert.match(page, /beir:legal/);
});

test('folders and names that do not go together are refused', async () => {
  const refused = async (argv: string[], code: string, message: RegExp) =>
    assert.rejects(runs(...argv), (error) => {
      assert.ok(error instanceof BenchError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  const { medical } = folders;
  await refused(['--dataset', 'beir:mine'], 'USAGE', /--dataset beir:mine names a collection of your own/);
  await refused(['--dataset', 'beir:a b', '--data', medical], 'USAGE', /'a b' cannot be the name/);
  await refused(
    ['--dataset', 'sample', '--data', `beir=${medical}`],
    'USAGE',
    /the dataset beir is not asked for/,
  );
  await refused(
    ['--dataset', 'beir', '--data', `beir=${medical}`, '--data', `beir=${medical}`],
    'USAGE',
    /two folders for beir/,
  );
  await refused(['--dataset', 'beir', '--data', 'beir=/nowhere'], 'PATH_INVALID', /no such folder/);
});

test('a name goes to every member of a group', async () => {
  assert.equal((await datasetsNamed('beir/cqadupstack:mine'))[0], 'beir/cqadupstack/android:mine');
  const { plugin: _, ...loaded } = await loadDataset('beir/scifact:mine');
  assert.deepEqual(loaded, { name: 'beir/scifact:mine', variant: 'scifact', label: 'mine' });
});

test('the same judgements as BEIR and as TREC qrels are one dataset, and systems measured by them are pairs', async () => {
  const write = async (name: string, text: string) => {
    await writeFile(path.join(root, name), text);
    return path.join(root, name);
  };
  const beir = await write('test.tsv', 'query-id\tcorpus-id\tscore\n1\ta\t1\n1\tb\t0\n2\tc\t2\n3\td\t1\n');
  const trec = await write('qrels.txt', '3 0 d 1\n2 0 c 2\n1 0 b 0\n1 0 a 1\n');
  const other = await write('other.txt', '3 0 d 1\n2 0 c 1\n1 0 b 0\n1 0 a 1\n');
  const hits = await write('a.run', '1 Q0 a 1 9 x\n2 Q0 c 1 9 x\n3 Q0 a 1 9 x\n');
  const worse = await write('b.run', '1 Q0 b 1 9 y\n2 Q0 a 1 9 y\n3 Q0 d 1 9 y\n');
  const measured = async (file: string, qrels: string) => {
    const record = `${file}-${path.basename(qrels)}.record.json`;
    await printedBy(evaluate, '--run', file, '--qrels', qrels, '--measure', 'mrr@10', '--record', record);
    return record;
  };
  const [first, second, third] = [
    await measured(hits, beir),
    await measured(worse, trec),
    await measured(worse, other),
  ];
  const read = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as RunRecord;
  const { dataset: a } = await read(first);
  const { dataset: b } = await read(second);
  assert.deepEqual([a.name, b.name, a.judgements], ['test.tsv', 'qrels.txt', b.judgements]);
  assert.match(await printedBy(compare, first, second), /mrr@10 +0\.6667 +0\.3333/);
  await assert.rejects(printedBy(compare, first, third), (error) => error instanceof BenchError);
  const page = await printedBy(report, first, second, '--format', 'markdown');
  assert.equal(page.match(/^#+ .*test\.tsv.*$/gm)?.length, 1);
  assert.doesNotMatch(page, /qrels\.txt/);
});
