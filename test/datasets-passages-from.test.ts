/** Passages of a plain file are read from any of them on, without what stands before; of a packed one all is read. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { passageEnds, passagesIn } from '../datasets/dpr/passages.js';
import type { Dataset, Passage } from '../harness/contracts.js';
import { passagesFrom } from '../harness/dataset/reading.js';
import { passagesAt, writePlaces } from '../harness/interchange/passage-places.js';
import { textBlocks } from '../harness/interchange/text-blocks.js';
import { openDataset, openDatasetHere } from '../harness/pipeline/open-dataset.js';
import { silentProgress } from '../harness/progress.js';
import { stream } from '../harness/random.js';
import { Store } from '../harness/store/store.js';
import { checkedProgress } from './checked-progress.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-from-'));
});
after(() => rm(root, { recursive: true, force: true }));

/** Three MiB and more, of lines short and long, with letters of several bytes. */
const count = 6000;
const random = stream(1, 'passages from');
const texts = Array.from({ length: count }, (_, i) => `${i} ${'é☃ word '.repeat(random.integer(120))}end`);

async function all(passages: AsyncIterable<Passage>): Promise<Passage[]> {
  const found: Passage[] = [];
  for await (const passage of passages) found.push(passage);
  return found;
}

async function assertFromAnywhere(dataset: Dataset): Promise<void> {
  const whole = await all(dataset.passages());
  assert.equal(whole.length, count);
  for (const at of [0, 1, 3000, count - 1, count + 5])
    assert.deepEqual(await all(passagesFrom(dataset.passages(), at)), whole.slice(at), `from ${at}`);
}

async function writeBeir(folder: string, gzip = false, lines = (text: string) => text): Promise<string> {
  await mkdir(path.join(folder, 'qrels'), { recursive: true });
  const corpus = lines(
    texts.map((text, i) => `${JSON.stringify({ _id: `p${i}`, title: `t${i}`, text })}\n`).join(''),
  );
  const file = path.join(folder, `corpus.jsonl${gzip ? '.gz' : ''}`);
  await writeFile(file, gzip ? gzipSync(corpus, { level: 1 }) : corpus);
  await writeFile(path.join(folder, 'queries.jsonl'), '{"_id":"q","text":"a question"}\n');
  await writeFile(path.join(folder, 'qrels', 'test.tsv'), 'query-id\tcorpus-id\tscore\nq\tp1\t1\n');
  return file;
}

test('BEIR: from any passage on, and what stands before is not read', async () => {
  const folder = path.join(root, 'beir');
  const file = await writeBeir(folder, false, (lines) => `\uFEFF${lines.replaceAll('}\n{', '}\n\n{')}`);
  const dataset = await openDatasetHere('beir', path.join(root, 'cache'), folder);
  await assertFromAnywhere(dataset);
  // What is broken in the beginning is not seen from the last third on.
  const bytes = await readFile(file);
  bytes.write('no JSON ', 20);
  await writeFile(file, bytes);
  assert.equal((await all(dataset.passages().from!(4500))).length, count - 4500);
  await assert.rejects(() => all(dataset.passages()), { code: 'DATA_INVALID' });
  // Of another file no line may begin where one began.
  await writeFile(file, 'x'.repeat(bytes.length));
  await assert.rejects(
    () => all(dataset.passages().from!(4500)),
    /no line begins behind \d+ bytes, where one began before/,
  );
});

test('BEIR packed: nothing can be passed over, and the passages are the same', async () => {
  const folder = path.join(root, 'packed');
  await writeBeir(folder, true);
  const dataset = await openDatasetHere('beir', path.join(root, 'cache'), folder);
  assert.equal(dataset.passages().from, undefined);
  await assertFromAnywhere(dataset);
});

test('MS MARCO: from any passage on where it has no titles, which stand in a file of their own', async () => {
  for (const titles of [false, true]) {
    const folder = path.join(root, `ms-marco ${titles}`);
    await mkdir(folder);
    await writeFile(
      path.join(folder, titles ? 'para.txt' : 'collection.tsv'),
      texts.map((text, i) => `${i}\t${text}\n`).join(''),
    );
    if (titles) await writeFile(path.join(folder, 'para.title.txt'), '3\tthree\n');
    for (const [name, text] of [
      ['queries.dev.small.tsv', '7\ta question\n'],
      ['queries.train.tsv', '8\tanother\n'],
      ['qrels.train.tsv', '8\t0\t2\t1\n'],
      ['qrels.dev.small.tsv', '7\t0\t1\t1\n'],
    ] as const)
      await writeFile(path.join(folder, name), text);
    const name = titles ? 'ms-marco/titles' : 'ms-marco';
    const dataset = await openDatasetHere(name, path.join(root, 'cache'), folder);
    assert.equal(dataset.passages().from === undefined, titles);
    await assertFromAnywhere(dataset);
  }
});

test('a row of DPR that goes over the end of a block is no place to begin', async () => {
  const folder = path.join(root, 'dpr');
  await mkdir(folder);
  // Columns of the second half are of many lines: most blocks there end within one.
  const rows = texts.map(
    (text, i) => `${i + 1}\t"${i < count / 2 ? text : text.replaceAll(' ', '\n')}"\ttitle ${i}\n`,
  );
  await writeFile(path.join(folder, 'psgs_w100.tsv'), `id\ttext\ttitle\n${rows.join('')}`);
  await writeFile(path.join(folder, 'nq-test.qa.csv'), `what\t["end"]\n`);
  const dataset = await openDatasetHere('dpr/nq', path.join(root, 'cache'), folder);
  assert.ok(dataset.passages().from !== undefined);
  await assertFromAnywhere(dataset);
});

test('DPR: the passages at some places, whatever stands between rows, and nothing else is read', async () => {
  const folder = path.join(root, 'dpr at');
  await mkdir(folder);
  const file = path.join(folder, 'psgs_w100.tsv');
  // Lines of Windows, blank ones among them, quoted columns of many lines, one of a hundred kilobytes; no newline at the end.
  const rows = texts.map((text, i) => {
    const own = i === 7 ? text.repeat(2000) : i % 3 === 0 ? text.replaceAll(' ', '\n') : text;
    return `${i % 5 === 0 ? '\r\n' : ''}${i + 1}\t"${own}"\ttitle ${i}`;
  });
  const write = (lines: readonly string[]) => writeFile(file, lines.join('\r\n'));
  await writeFile(path.join(folder, 'nq-test.qa.csv'), `what\t["end"]\n`);
  const store = new Store(path.join(root, 'cache'));
  const open = () => openDataset({ dataset: 'dpr/nq', data: folder, offline: true }, store, silentProgress());
  const at = async (dataset: Dataset, ordinals: number[]) => all(dataset.passages().at!(ordinals));
  const chosen = [0, 1, 6, 7, 8, 2999, 3000, 4500, count - 2, count - 1];
  // With a line of names or without, and with a byte order mark or without.
  for (const head of [['id\ttext\ttitle'], ['\uFEFFid\ttext\ttitle'], [], ['\uFEFF']]) {
    const lines = [...head, ...rows];
    await write(lines);
    const dataset = await open();
    const whole = await all(dataset.passages());
    assert.equal(whole.length, count);
    const expected = chosen.map((ordinal) => whole[ordinal]!);
    assert.deepEqual(await at(dataset, chosen), expected);
    assert.deepEqual(await at(dataset, [...whole.keys()]), whole);
    assert.deepEqual(await at(dataset, []), []);
    await assert.rejects(at(dataset, [count]), {
      code: 'CACHE_INVALID',
      message: /no place of passage 6001/,
    });
    // As long as it was, with rows of which nothing is right: only who reads them sees it.
    const broken = lines.toSpliced(
      -2900,
      1000,
      ...lines.slice(-2900, -1900).map((line) => line.replaceAll('\t', ' ')),
    );
    await write(broken);
    assert.deepEqual(await at(dataset, chosen), expected);
    await assert.rejects(at(dataset, [0, 3500]), {
      code: 'DATA_INVALID',
      message: `${file}: passage 3501 no longer stands where it stood.`,
    });
    await write(lines.slice(0, 100));
    await assert.rejects(at(dataset, [4500]), /passage 4501 no longer stands where it stood/);
  }
});

test('places of more passages than are looked at, or written, at once', async () => {
  const many = 70_000;
  const [file, places] = [path.join(root, 'many.tsv'), path.join(root, 'many.places')];
  await writeFile(file, Array.from({ length: many }, (_, i) => `${i}\tt\t\n`).join(''));
  const told: number[] = [];
  await writePlaces(places, passageEnds(file), (doneBytes) => told.push(doneBytes));
  assert.equal((await stat(places)).size, 8 * (many + 1));
  // Of 65,536 places the first is a start.
  const looked = Array.from({ length: 2 ** 16 - 1 }, (_, i) => `${i}\tt\t\n`.length);
  assert.deepEqual(told, [looked.reduce((sum, length) => sum + length, 0)]);
  const idsAt = async (ordinals: number[]) =>
    (await all(passagesAt({ file, places, passagesIn }, ordinals))).map(({ passageId }) => Number(passageId));
  const edges = [0, 1].flatMap((n) => [n * 2 ** 16 - 2, n * 2 ** 16 - 1, n * 2 ** 16]);
  const chosen = [...edges, many - 1]
    .filter((ordinal) => ordinal >= 0 && ordinal < many)
    .sort((a, b) => a - b);
  assert.deepEqual(await idsAt(chosen), chosen);
  const each = Array.from({ length: many }, (_, i) => i);
  assert.deepEqual(await idsAt(each), each);
  await writeFile(places, (await readFile(places)).subarray(0, -8));
  await assert.rejects(idsAt([many - 1]), { code: 'CACHE_INVALID' });
  // Two rows where one stood, and what is no text.
  const moved = { code: 'DATA_INVALID', message: `${file}: passage 12 no longer stands where it stood.` };
  for (const row of ['1\t\t\n2\t\t', '11\tt\xff\t'].map((text) => Buffer.from(text, 'latin1'))) {
    await writeFile(file, row);
    const ends = Float64Array.from({ length: 13 }, (_, i) => (i < 12 ? 0 : row.length));
    await writeFile(places, new Uint8Array(ends.buffer));
    await assert.rejects(idsAt([11]), moved);
    // Nothing stands between two places that are one.
    await assert.rejects(idsAt([10]), { code: 'CACHE_INVALID' });
  }
  await rm(places);
  await assert.rejects(idsAt([0]), { code: 'CACHE_INVALID', message: `${places} cannot be read.` });
});

test('DPR: how far the places are found is told by bytes, once, and where that takes long alone', async () => {
  for (const many of [70_000, 60_000]) {
    const folder = path.join(root, `dpr told ${many}`);
    await mkdir(folder);
    const rows = Array.from({ length: many }, (_, i) => `${i + 1}\tt\t\n`).join('');
    await writeFile(path.join(folder, 'psgs_w100.tsv'), rows);
    await writeFile(path.join(folder, 'nq-test.qa.csv'), `what\t["end"]\n`);
    const begun: unknown[] = [];
    const progress = checkedProgress();
    const { stage } = progress;
    progress.stage = (...asked) => {
      begun.push(asked);
      return stage(...asked);
    };
    const store = new Store(path.join(root, 'cache'));
    const dataset = await openDataset({ dataset: 'dpr/nq', data: folder, offline: true }, store, progress);
    for (const ordinal of [0, many - 1]) await all(dataset.passages().at!([ordinal]));
    const expected = ['look through psgs_w100.tsv', rows.length, 'bytes'];
    assert.deepEqual(begun, many > 2 ** 16 ? [expected] : []);
  }
});

test('DPR packed: no passage can be read alone', async () => {
  const folder = path.join(root, 'dpr packed');
  await mkdir(folder);
  await writeFile(path.join(folder, 'psgs_w100.tsv.gz'), gzipSync('id\ttext\ttitle\n1\ta\tb\n'));
  await writeFile(path.join(folder, 'nq-test.qa.csv'), `what\t["end"]\n`);
  const store = new Store(path.join(root, 'cache'));
  const dataset = await openDataset(
    { dataset: 'dpr/nq', data: folder, offline: true },
    store,
    silentProgress(),
  );
  assert.equal(dataset.passages().at, undefined);
});

test('the blocks of a file that is read from one of them on are those behind it, lines counted on', async () => {
  const file = path.join(root, 'lines.txt');
  await writeFile(file, texts.map((text) => `${text}\n`).join(''));
  const blocks = [];
  for await (const block of textBlocks(file, 'DATA_INVALID')) blocks.push(block);
  assert.ok(blocks.length >= 3);
  const { firstByte, firstLine } = blocks[1]!;
  const again = [];
  for await (const { text, firstLine: line } of textBlocks(file, 'DATA_INVALID', {
    byte: firstByte!,
    line: firstLine,
  }))
    again.push({ text, line });
  assert.equal(again[0]!.line, firstLine);
  assert.equal(
    again.map(({ text }) => text).join(''),
    blocks
      .slice(1)
      .map(({ text }) => text)
      .join(''),
  );
});
