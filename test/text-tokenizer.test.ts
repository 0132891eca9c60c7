import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { checkVocabulary, longestFirst, makeTokenizer, type Tokenizer } from '../harness/text/tokenizer.js';
import { loadTokenizer } from '../harness/text/tokenizer-folder.js';
import { buildVocabulary } from '../harness/text/vocabulary.js';
import { inFixtures, sharedData } from './places.js';

const fixtures = inFixtures('model');
const realData = sharedData;

interface References {
  texts: [string, number[]][];
  queries: [string, number, number[]][];
  passages: [string, string, number, number[]][];
  joined: [string, string, number, number[]][];
}

async function readJson<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(path.join(fixtures, name), 'utf8')) as T;
}

async function assertReferences(tokenizer: Tokenizer, name: string): Promise<void> {
  const { texts, queries, passages, joined } = await readJson<References>(`${name}-ids.json`);
  for (const [text, ids] of texts) {
    assert.deepEqual(tokenizer.encodeText(text), ids, text);
    assert.deepEqual(tokenizer.encodeText(text), ids, `${text}, the second time`);
  }
  for (const [text, length, ids] of queries) {
    assert.deepEqual([...tokenizer.encodeQuery(text, length)], ids, `${text} to ${length}`);
  }
  for (const [title, text, length, ids] of passages) {
    assert.deepEqual(
      [...tokenizer.encodePassage(title, text, length)],
      ids,
      `${title} | ${text} to ${length}`,
    );
  }
  for (const [title, text, length, ids] of joined) {
    const actual = tokenizer.encodePassage(title, text, length, 'joined');
    assert.deepEqual([...actual], ids, `joined ${title} | ${text} to ${length}`);
  }
}

for (const name of ['wordpiece', 'unigram']) {
  test(`${name}: texts, queries and passages agree with the tokenizers library at every length`, async () => {
    await assertReferences(await makeTokenizer(await readJson(`${name}.json`)), name);
  });
}

for (const [name, folder] of [
  ['bert-base-uncased', 'tokenizers/bert-base-uncased'],
  ['tiny-t5', 'tiny-models/T5ForConditionalGeneration'],
] as const) {
  test(`${name}, a real tokenizer, agrees with the tokenizers library`, async (t) => {
    if (!existsSync(path.join(realData, folder))) return t.skip(`no data at ${path.join(realData, folder)}`);
    await assertReferences(await loadTokenizer(path.join(realData, folder)), name);
  });
}

test('the 47 published cases of bert-base-uncased, from tokenizer.json and from vocab.txt alone', async (t) => {
  const folder = path.join(realData, 'tokenizers/bert-base-uncased');
  if (!existsSync(folder)) return t.skip(`no data at ${folder}`);
  const texts = (await readFile(path.join(folder, 'cases.inp'), 'utf8')).split('\n__ggml_vocab_test__\n');
  const expected = (await readFile(path.join(folder, 'cases.out'), 'utf8')).split('\n');
  assert.equal(texts.length, 47);
  await withFolder(async (bare) => {
    await writeFile(path.join(bare, 'vocab.txt'), await readFile(path.join(folder, 'vocab.txt')));
    for (const tokenizer of [await loadTokenizer(folder), await loadTokenizer(bare)]) {
      assert.equal(tokenizer.vocabularySize, 30522);
      for (const [i, text] of texts.entries()) {
        assert.equal(tokenizer.encodeText(text).join(' '), expected[i]!.trim(), JSON.stringify(text));
      }
    }
  });
});

test('longest first: the shorter stays whole up to half of the room, the longer gets the odd token', () => {
  assert.deepEqual(longestFirst(3, 4, 7), [3, 4]);
  assert.deepEqual(longestFirst(3, 40, 10), [3, 7]);
  assert.deepEqual(longestFirst(40, 3, 10), [7, 3]);
  assert.deepEqual(longestFirst(40, 30, 11), [6, 5]);
  assert.deepEqual(longestFirst(30, 40, 11), [5, 6]);
  assert.deepEqual(longestFirst(30, 30, 11), [5, 6]);
  assert.deepEqual(longestFirst(30, 0, 11), [11, 0]);
  assert.deepEqual(longestFirst(5, 5, 0), [0, 0]);
});

test("a query's typographic apostrophe becomes a plain one, a passage's stays", async () => {
  const tokenizer = await makeTokenizer(
    await buildVocabulary(["the keeper's lamp", 'the keeper\u2019s a b lamp']),
  );
  assert.deepEqual(tokenizer.encodeQuery('keeper\u2019s', 16), tokenizer.encodeQuery("keeper's", 16));
  assert.notDeepEqual(tokenizer.encodePassage('', 'a\u2019b', 16), tokenizer.encodePassage('', "a'b", 16));
});

test('a length that cannot hold the special tokens is refused', async () => {
  const tokenizer = await makeTokenizer(await readJson('wordpiece.json'));
  assert.throws(() => tokenizer.encodePassage('a', 'b', 2), {
    code: 'CHECKPOINT_INVALID',
    message: /2 tokens cannot hold the 3 special tokens/,
  });
  assert.deepEqual([...tokenizer.encodePassage('a', 'b', 3)], [2, 3, 3]);
});

test('special tokens behind a text are counted, whatever stands before it', async () => {
  for (const [name, behind] of [
    ['wordpiece.json', 1],
    ['unigram.json', 1],
  ] as const) {
    const tokenizer = await makeTokenizer(await readJson(name));
    const [whole, own] = [tokenizer.encodeSingle('the keeper', 16), tokenizer.encodeText('the keeper')];
    assert.equal(tokenizer.tokensBehind, behind, name);
    const before = whole.length - own.length - behind;
    assert.deepEqual([...whole.subarray(before, whole.length - behind)], own);
  }
});

test('the saved files make the same tokenizer again', async () => {
  await withFolder(async (folder) => {
    const first = await makeTokenizer(await readJson('unigram.json'), { model_max_length: 512 });
    for (const [name, content] of Object.entries(first.files))
      await writeFile(path.join(folder, name), content);
    const second = await loadTokenizer(folder);
    assert.deepEqual(second.files, first.files);
    assert.deepEqual(second.encodeText('the keeper'), first.encodeText('the keeper'));
  });
});

test('ids beyond the embedding table are refused, a larger table is fine', async () => {
  const tokenizer = await makeTokenizer(await readJson('wordpiece.json'));
  const size = tokenizer.vocabularySize;
  checkVocabulary(tokenizer, { vocabularySize: size });
  checkVocabulary(tokenizer, { vocabularySize: size + 28 });
  assert.throws(() => checkVocabulary(tokenizer, { vocabularySize: size - 1 }), {
    code: 'CHECKPOINT_INVALID',
    message: new RegExp(`largest id is ${size - 1}.*table has ${size - 1} rows`),
  });
});

test('folders without a usable tokenizer', async () => {
  const refused = (files: Record<string, string>, message: RegExp) =>
    withFolder(async (folder) => {
      for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
      await assert.rejects(loadTokenizer(folder), { code: 'CHECKPOINT_INVALID', message });
    });
  const json = await readJson<Record<string, unknown>>('wordpiece.json');
  const changed = (change: object) => ({ 'tokenizer.json': JSON.stringify({ ...json, ...change }) });
  await refused({}, /neither tokenizer.json nor vocab.txt/);
  await refused({ 'tokenizer.json': '{' }, /tokenizer.json is not JSON/);
  await refused({ 'tokenizer.json': '[]' }, /not a JSON object/);
  await refused({ 'tokenizer.json': '{"model":{}}' }, /lacks added_tokens, normalizer/);
  await refused({ 'vocab.txt': 'the\nkeeper\n' }, /lacks \[PAD\], \[UNK\]/);
  await refused(changed({ model: { type: 'WordPiece' } }), /\$\.model lacks '/);
  await refused(changed({ post_processor: { type: 'ByteFrame' } }), /ByteFrame/);
  await refused(changed({ normalizer: { type: 'Nonsense' } }), /its normalizer is Nonsense/);
});

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
