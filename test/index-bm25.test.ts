/** The index of terms: its files, however it was put together, and what is damaged. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { bm25Size, openBm25Index } from '../harness/index/bm25-index.js';
import { writeBm25Index } from '../harness/index/bm25-writer.js';
import { EnglishAnalyzer } from '../harness/text/english-analyzer.js';
import { drawnPassages, streamed } from './made-passages.js';
import { openUnder, removeClosed } from './open-files.js';

let root: string;
let analyzer: EnglishAnalyzer;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-bm25-'));
  analyzer = await EnglishAnalyzer.open({ stemmer: 'none', stopWords: false });
});
after(() => removeClosed(root));

const passages = drawnPassages(400);
const write = async (name: string, blockPostings?: number) => {
  const folder = path.join(root, name);
  const block = blockPostings === undefined ? {} : { blockPostings };
  const facts = await writeBm25Index({ passages: streamed(passages), analyzer, folder, ...block });
  return { folder, facts };
};

test('facts, and bytes on disk by part', async () => {
  const { folder, facts } = await write('facts');
  const terms = passages.map(({ title, text }) => [...analyzer.terms(title), ...analyzer.terms(text)]);
  assert.equal(facts.passages, 400);
  assert.equal(facts.passagesWithTerms, terms.filter((each) => each.length > 0).length);
  assert.ok(facts.passagesWithTerms < 400, 'some passages are empty');
  assert.equal(facts.terms, new Set(terms.flat()).size);
  assert.equal(facts.totalLength, terms.flat().length);
  assert.equal(
    facts.postings,
    terms.reduce((sum, each) => sum + new Set(each).size, 0),
  );
  assert.deepEqual((await readdir(folder)).sort(), [
    'identifiers',
    'index.json',
    'lengths',
    'postings',
    'terms',
  ]);
  const size = await bm25Size(folder);
  const { size: jsonBytes } = await stat(path.join(folder, 'index.json'));
  const sizes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await stat(path.join(folder, name))).size),
  );
  assert.equal(size.totalBytes, sizes.reduce((sum, bytes) => sum + bytes, 0) - jsonBytes);
  assert.equal(size.lengthsBytes, 4 * 400);
});

test('segments, however many, give the same bytes', async () => {
  const { folder: one } = await write('one');
  for (const block of [400, 1000]) {
    const { folder: many } = await write(`block-${block}`, block);
    for (const name of await readdir(one)) {
      assert.ok(
        (await readFile(path.join(one, name))).equals(await readFile(path.join(many, name))),
        `${name}, ${block}`,
      );
    }
    assert.deepEqual(await readdir(many), await readdir(one), 'no segment is left');
  }
});

test('postings hold what the passages hold, from memory and from the disk', async () => {
  const { folder } = await write('postings', 500);
  for (const memoryBytes of [0, 2 ** 20]) {
    const index = await openBm25Index(folder, memoryBytes);
    assert.equal(index.postings.resident, memoryBytes > 0);
    const counts = new Map<string, Map<number, number>>();
    for (const [ordinal, { title, text }] of passages.entries()) {
      const terms = [...analyzer.terms(title), ...analyzer.terms(text)];
      assert.equal(index.lengths[ordinal], terms.length);
      for (const term of terms) {
        if (!counts.has(term)) counts.set(term, new Map());
        counts.get(term)!.set(ordinal, (counts.get(term)!.get(ordinal) ?? 0) + 1);
      }
    }
    for (const [term, expected] of counts) {
      const found = index.terms.find(term)!;
      assert.equal(found.documentFrequency, expected.size);
      assert.deepEqual(decode(await index.postings.read(found.from, found.to)), [...expected], term);
    }
    for (const absent of ['', 'zzz', 'A', '\uffff']) assert.equal(index.terms.find(absent), undefined);
    assert.equal((await index.identifiers()).at(399), passages[399]!.passageId);
    await index.close();
  }
});

test('postings are in memory where they fit to the byte, and no file is left open', async () => {
  const { folder } = await write('fit');
  const postings = path.join(folder, 'postings');
  const { size } = await stat(postings);
  const isResident = async (memoryBytes: number) => {
    const index = await openBm25Index(folder, memoryBytes);
    const { resident } = index.postings;
    if (process.platform === 'linux') assert.deepEqual(openUnder(folder), resident ? [] : [postings]);
    await index.close();
    assert.deepEqual(openUnder(folder), []);
    return resident;
  };
  assert.equal(await isResident(size), true);
  assert.equal(await isResident(size - 1), false);
  assert.equal(await isResident(0), false);
  // More than one array holds: a file with a hole, which takes no room on the disk.
  await truncate(postings, 2 ** 32);
  assert.equal(await isResident(Number.POSITIVE_INFINITY), false);
  await truncate(postings, size);
});

/** The format as its description says it, read in the plainest way. */
function decode(bytes: Uint8Array): [number, number][] {
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte % 128) * scale;
    scale *= 128;
    if (byte >= 128) continue;
    numbers.push(value);
    [value, scale] = [0, 1];
  }
  const postings: [number, number][] = [];
  let ordinal = -1;
  for (let i = 0; i < numbers.length; ) {
    const number = numbers[i++]!;
    ordinal += Math.floor(number / 2);
    postings.push([ordinal, number % 2 === 1 ? 1 : numbers[i++]!]);
  }
  return postings;
}

test('a collection without passages or without terms makes an index', async () => {
  for (const [name, all] of [
    ['none', []],
    ['blank', [{ passageId: 'a', title: '', text: '' }]],
  ] as const) {
    const folder = path.join(root, name);
    const facts = await writeBm25Index({ passages: streamed(all), analyzer, folder });
    assert.deepEqual([facts.passages, facts.terms, facts.postings], [all.length, 0, 0]);
    const index = await openBm25Index(folder, 1);
    assert.equal(index.terms.find('a'), undefined);
    await index.close();
  }
});

test('what a killed attempt left is removed, and two passages of one id are refused', async () => {
  const { folder } = await write('again', 1000);
  await writeFile(path.join(folder, 'segment-99'), 'x');
  await writeBm25Index({ passages: streamed(passages), analyzer, folder, blockPostings: 1000 });
  assert.ok(!(await readdir(folder)).includes('segment-99'));
  const twins = [passages[0]!, passages[1]!, passages[0]!];
  await assert.rejects(
    writeBm25Index({ passages: streamed(twins), analyzer, folder: path.join(root, 'twins') }),
    /passage 1 and passage 3/,
  );
});

async function edited(file: string, change: object): Promise<void> {
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...change }));
}

/** Of the dictionary, whose places stand behind a header of 24 bytes: begin and end of each term's postings. */
async function overwritten(file: string, at: number, value: number): Promise<void> {
  const bytes = await readFile(file);
  bytes.writeDoubleLE(value, at);
  await writeFile(file, bytes);
}

describe('damage', () => {
  const cases: [name: string, file: string, damage: (file: string) => Promise<void>][] = [
    ['no index.json', 'index.json', (file) => rm(file)],
    ['index.json of something else', 'index.json', (file) => writeFile(file, '{}')],
    ['index.json cut short', 'index.json', (file) => truncate(file, 5)],
    ['a dictionary cut short', 'terms', (file) => truncate(file, 100)],
    ['no dictionary', 'terms', (file) => rm(file)],
    ['lengths cut short', 'lengths', (file) => truncate(file, 8)],
    ['passages without end', 'index.json', (file) => edited(file, { passages: 2 ** 50 })],
    ['fewer passages than none', 'index.json', (file) => edited(file, { passages: -1 })],
    ['postings that end before they begin', 'terms', (file) => overwritten(file, 24, 2 ** 40)],
    ['postings that end behind the file', 'terms', (file) => overwritten(file, 32, 2 ** 40)],
    ['postings that begin nowhere', 'terms', (file) => overwritten(file, 24, Number.NaN)],
    ['no postings', 'postings', (file) => rm(file)],
  ];
  for (const [name, file, damage] of cases) {
    test(name, async () => {
      const { folder } = await write('whole');
      const copy = path.join(root, 'damaged');
      await rm(copy, { recursive: true, force: true });
      await cp(folder, copy, { recursive: true });
      await damage(path.join(copy, file));
      await assert.rejects(openBm25Index(copy, 1), (error) => {
        assert.ok(error instanceof BenchError, String(error));
        assert.ok(['CACHE_INVALID', 'PATH_INVALID'].includes(error.code));
        assert.ok(error.message.includes(file));
        return true;
      });
    });
  }
});

test('an analyzer that nobody knows, and totals that are not those of its passages, are damage', async () => {
  const { folder, facts } = await write('description');
  const file = path.join(folder, 'index.json');
  for (const [changed, message] of [
    [{ analyzer: { stemmer: 'poratr', stopWords: true } }, /does not name its analyzer/],
    [{ analyzer: { stemmer: 'constructor', stopWords: true } }, /does not name its analyzer/],
    [{ analyzer: { stopWords: true } }, /does not name its analyzer/],
    [{ totalLength: 0 }, /says totalLength: 0, and the lengths come to \d+/],
    [{ passagesWithTerms: 400 }, /says passagesWithTerms: 400, and the lengths come to \d+/],
  ] as const) {
    await writeFile(file, JSON.stringify({ ...facts, ...changed }));
    await assert.rejects(openBm25Index(folder, 1 << 20), (error: BenchError) => {
      assert.equal(error.code, 'CACHE_INVALID');
      assert.match(error.message, message);
      return true;
    });
  }
});

test('it is told how many passages are done, every thousand and at the end', async () => {
  for (const [count, expected] of [
    [0, [0]],
    [999, [999]],
    [2500, [1000, 2000, 2500]],
  ] as const) {
    const many = Array.from({ length: count }, (_, i) => ({ passageId: `${i}`, title: '', text: 'word' }));
    const told: number[] = [];
    const folder = path.join(root, `told-${count}`);
    const onProgress = (done: number) => told.push(done);
    await writeBm25Index({ passages: streamed(many), analyzer, folder, onProgress });
    assert.deepEqual(told, expected);
  }
});
