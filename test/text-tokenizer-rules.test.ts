/** What tokenizer.json says beside its model: the frames of a text and of a pair, the largest id, and whether words stand alone. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { bertSpecials, bertTokenizerJson } from '../harness/text/bert-tokenizer.js';
import { makeTokenizer } from '../harness/text/tokenizer.js';
import {
  checkTokenizerJson,
  isWordByWord,
  largestId,
  readTemplates,
  type TokenizerJson,
} from '../harness/text/tokenizer-file.js';
import { inFixtures } from './places.js';

const read = (name: string) =>
  JSON.parse(readFileSync(inFixtures(`model/${name}.json`), 'utf8')) as TokenizerJson;
const wordPiece = read('wordpiece');
type PostProcessor = TokenizerJson['post_processor'];

const templatesOf = (post_processor: unknown) =>
  readTemplates({ ...wordPiece, post_processor: post_processor as PostProcessor }, 'tokenizer.json');

test('the file made of a list of tokens is one that the tokenizers library saves', () => {
  const added = [...bertSpecials.entries()].map(([id, content]) => ({
    ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  }));
  const [cls, sep] = ['[CLS]', '[SEP]'].map((id) => (type_id: number) => ({ SpecialToken: { id, type_id } }));
  const [a, b] = [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }];
  assert.deepEqual(bertTokenizerJson([...bertSpecials, 'a', '', 'b']), {
    ...{ version: '1.0', truncation: null, padding: null, added_tokens: added },
    normalizer: {
      ...{ type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true },
      ...{ strip_accents: null, lowercase: true },
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [cls!(0), a, sep!(0)],
      pair: [cls!(0), a, sep!(0), b, sep!(1)],
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
      },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      ...{ type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##' },
      max_input_chars_per_word: 100,
      vocab: { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, '[MASK]': 4, a: 5, b: 7 },
    },
  });
});

describe('templates', () => {
  const [cls, sep] = [{ SpecialToken: { id: 'C' } }, { SpecialToken: { id: 'S' } }];
  const [a, b] = [{ Sequence: { id: 'A' } }, { Sequence: { id: 'B' } }];
  const processing = (single: object[], pair: object[]) => ({
    type: 'TemplateProcessing',
    ...{ single, pair, special_tokens: { C: { ids: [7] }, S: { ids: [8, 9] } } },
  });
  const bert = { type: 'BertProcessing', sep: ['[SEP]', 8], cls: ['[CLS]', 7] };

  test('are those of the file, a special token with all of its ids', () => {
    assert.deepEqual(templatesOf(processing([cls, a, sep], [cls, b, sep, a])), {
      single: [7, 'A', 8, 9],
      pair: [7, 'B', 8, 9, 'A'],
      pairTypes: [0, 0, 0, 0, 0],
    });
    const pair = [7, 'A', 8, 'B', 8];
    assert.deepEqual(templatesOf(bert), { single: [7, 'A', 8], pair, pairTypes: [0, 0, 0, 1, 1] });
  });

  test('say the segment of each token of a pair, of all ids of a special token', () => {
    const item = (name: 'A' | 'B', type_id: number) => ({ Sequence: { id: name, type_id } });
    const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
    const own = [special('C', 0), item('A', 0), special('S', 1), item('B', 2), special('S', 1)];
    assert.deepEqual(templatesOf(processing([a], own)).pairTypes, [0, 0, 1, 1, 2, 1, 1]);
    const roberta = { ...bert, type: 'RobertaProcessing' };
    assert.deepEqual(templatesOf(roberta).pairTypes, [0, 0, 0, 0, 0, 0]);
  });

  test('frame nothing where there are none, and stand behind ByteLevel where there are several', () => {
    for (const none of [null, { type: 'ByteLevel' }, { type: 'Sequence', processors: [] }])
      assert.deepEqual(templatesOf(none), { single: ['A'], pair: ['A', 'B'], pairTypes: [0, 1] });
    const several = { type: 'Sequence', processors: [{ type: 'ByteLevel' }, bert] };
    assert.deepEqual(templatesOf(several).single, [7, 'A', 8]);
  });

  test('of another kind, or without each text once, are refused', () => {
    for (const [given, message] of [
      [{ ...bert, type: 'AlbertProcessing' }, /is AlbertProcessing; supported/],
      [{ ...bert, sep: undefined }, /is BertProcessing; supported/],
      [{ ...bert, cls: undefined }, /is BertProcessing; supported/],
      [{ ...processing([a], [a, b]), type: 'Other' }, /is Other; supported/],
      [{ ...processing([a], [a, b]), pair: undefined }, /is TemplateProcessing; supported/],
      [{ ...processing([a], [a, b]), single: undefined }, /is TemplateProcessing; supported/],
      [processing([cls], [a, b]), /single text does not have the text A once/],
      [processing([a, a], [a, b]), /single text does not have the text A once/],
      [processing([a, b], [a, b]), /single text does not have the text A once/],
      [processing([a], [a, cls]), /pair does not have the texts A and B once/],
      [processing([a], [b]), /pair does not have the texts A and B once/],
      [processing([a], [a, b, b]), /pair does not have the texts A and B once/],
      [processing([{ SpecialToken: { id: 'X' } }, a], [a, b]), /names X, which it does not define/],
    ] as [object, RegExp][])
      assert.throws(() => templatesOf(given), { code: 'CHECKPOINT_INVALID', message });
  });
});

test('the largest id is that of a token, an added one, or one that frames', () => {
  const none = { single: ['A'], pair: ['A', 'B'] } as const;
  const json = (vocab: unknown, added: number[] = []) =>
    ({ model: { vocab }, added_tokens: added.map((id) => ({ id })) }) as unknown as TokenizerJson;
  assert.equal(largestId(json({ a: 0, b: 5, c: 3 }), none), 5);
  assert.equal(largestId(json({ a: 0, b: 5, '': 6 }), none), 5, 'no text has a token without a character');
  assert.equal(largestId(json({ a: 0 }, [2, 9, 4]), none), 9);
  assert.equal(largestId(json({ a: 2 }), { single: [4, 'A'], pair: ['A', 3, 'B', 8] }), 8);
  assert.equal(largestId(json({ a: 2 }), { single: [8, 'A'], pair: ['A', 3, 'B', 4] }), 8);
  const listed = ['a', 'b', 'c'].map((piece) => [piece, -1]);
  assert.equal(largestId(json(listed), none), 2);
  assert.equal(largestId(json(listed, [3]), none), 3);
});

test('words stand alone only where nothing reaches over a blank', () => {
  const unigram = read('unigram');
  assert.ok(isWordByWord(wordPiece));
  const holds = (json: TokenizerJson, change: object) =>
    isWordByWord({ ...json, ...change } as unknown as TokenizerJson);
  const token = (change: object) => ({
    added_tokens: [...wordPiece.added_tokens, { ...wordPiece.added_tokens[0]!, content: 'x', ...change }],
  });
  assert.ok(holds(wordPiece, token({})));
  for (const change of [{ lstrip: true }, { rstrip: true }, { content: 'a b' }, { content: 'a\n' }])
    assert.ok(!holds(wordPiece, token(change)), JSON.stringify(change));
  assert.ok(!holds(wordPiece, { normalizer: { ...wordPiece.normalizer, clean_text: false } }));
  assert.ok(!holds(wordPiece, { normalizer: { type: 'NFC' } }));
  assert.ok(!holds(wordPiece, { normalizer: null }));
  assert.ok(!holds(wordPiece, { pre_tokenizer: null }));

  const [split, metaspace] = [{ type: 'WhitespaceSplit' }, { type: 'Metaspace', prepend_scheme: 'always' }];
  const sequence = (...pretokenizers: object[]) => ({
    pre_tokenizer: { type: 'Sequence', pretokenizers },
    added_tokens: [],
    normalizer: null,
  });
  assert.ok(holds(unigram, sequence(split, metaspace)));
  assert.ok(holds(unigram, sequence(split, { type: 'Metaspace' })), 'where nothing is said it is always');
  for (const type of ['Precompiled', 'NFC', 'NFD', 'NFKC', 'NFKD'])
    assert.ok(holds(unigram, { ...sequence(split, metaspace), normalizer: { type } }), type);
  for (const change of [
    sequence(split),
    sequence(metaspace, split),
    sequence(split, split),
    sequence(metaspace, metaspace),
    sequence(split, metaspace, metaspace),
    sequence(split, { type: 'Metaspace', prepend_scheme: 'first' }),
    sequence(split, { type: 'Metaspace', add_prefix_space: false }),
    { ...sequence(split, metaspace), normalizer: { type: 'Replace' } },
  ])
    assert.ok(!holds(unigram, change), JSON.stringify(change));
});

test('one member that is missing is named', () => {
  for (const member of ['added_tokens', 'normalizer', 'pre_tokenizer', 'post_processor', 'model']) {
    const { [member]: _, ...rest } = wordPiece;
    assert.throws(() => checkTokenizerJson(rest, 'tokenizer.json'), {
      code: 'CHECKPOINT_INVALID',
      message: new RegExp(`it lacks ${member}\\.`),
    });
  }
});

test('the unknown token of a list of pieces stands in it', () => {
  const json = { ...read('unigram'), version: '1.0' };
  const { vocab } = json.model as { vocab: [string, number][] };
  const at = (unk_id: number) =>
    checkTokenizerJson({ ...json, model: { ...json.model, unk_id } }, 'tokenizer.json');
  assert.equal(at(vocab.length - 1).model.unk_id, vocab.length - 1);
  assert.throws(() => at(vocab.length), { code: 'CHECKPOINT_INVALID', message: /unk_id is/ });
});

describe('a text that goes beyond what is taken', () => {
  test('is refused from the first letter on that a normalizer makes too many', async () => {
    const making = (count: number) =>
      makeTokenizer({
        ...wordPiece,
        normalizer: { type: 'Replace', pattern: { String: 'a' }, content: 'b'.repeat(count) },
      });
    // 64 for each letter, and for 16 more.
    (await making(64 * 17)).encodeText('a');
    const more = await making(64 * 17 + 1);
    assert.throws(() => more.encodeText('a'), { message: /its normalizer makes 1089 letters of 1\.$/ });
    more.encodeText('b');
  });

  test('is refused from the first letter on that a word has too many, and shown by its beginning', async () => {
    const tokenizer = await makeTokenizer(wordPiece);
    assert.equal(tokenizer.encodeText('a'.repeat(100_000)).length, 1);
    assert.throws(() => tokenizer.encodeText(`${'ab'.repeat(50_000)}c`), {
      code: 'DATA_INVALID',
      message: `A word of 100,001 letters, '${'ab'.repeat(20)}...', is too long for the tokenizer, which takes 100,000.`,
      hint: 'Shorten it, or part it by blanks, in the collection.',
    });
  });

  test('without an id is shown whole up to 40 letters', async () => {
    const model = { ...wordPiece.model, vocab: { a: 0 }, unk_token: '[absent]' };
    const change = { added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, model };
    const tokenizer = await makeTokenizer({ ...wordPiece, ...change });
    assert.deepEqual(tokenizer.encodeText('a'), [0]);
    for (const [text, shown] of [
      ['b', 'b'],
      ['b'.repeat(40), 'b'.repeat(40)],
      [`${'b'.repeat(40)}c`, `${'b'.repeat(40)}...`],
    ] as const)
      assert.throws(() => tokenizer.encodeText(text), {
        code: 'CHECKPOINT_INVALID',
        message: `tokenizer.json is not a usable tokenizer: it has no id for '${shown}', and none for what is unknown.`,
      });
  });
});
