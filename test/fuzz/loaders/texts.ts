/** Tokenizers, and patterns and texts of questions. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BenchError } from '../../../harness/errors.js';
import { AnswerMatcher, PassageText } from '../../../harness/text/answers.js';
import { Charsmap } from '../../../harness/text/charsmap.js';
import { EnglishAnalyzer } from '../../../harness/text/english-analyzer.js';
import { loadTokenizer } from '../../../harness/text/tokenizer-folder.js';
import { type Loader, UnfitResult } from '../loader.js';
import { fixtureFile, texts } from '../valid-files.js';

const sample = 'Two HOUSES, à côté; 3.5\r\n\u{1f600} unaffable\u0301 \u0000end';

const config = JSON.stringify({
  ...{ do_lower_case: true, strip_accents: null, tokenize_chinese_chars: true, model_max_length: 512 },
  ...{
    cls_token: '[CLS]',
    sep_token: '[SEP]',
    pad_token: { content: '[PAD]', lstrip: false },
    unk_token: '[UNK]',
  },
});
const vocabulary = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'two',
  'house',
  '##s',
  ',',
  'un',
  '##aff',
  '##able',
];

/** A byte-level tokenizer of the fixtures. */
const byteLevel = (name: string) => gunzipSync(fixtureFile(`tokenizers/${name}.json.gz`));

/** A character map of three keys, as SentencePiece compiles one: a block of 256 units a node. */
function charsmap(): Buffer {
  const keys: readonly (readonly [string, string])[] = [
    ['\u00a0', ' '],
    ['\u{1f600}', ':)'],
    ['A', 'a'],
  ];
  const units: number[] = [];
  let replacements = '';
  let blocks = 0;
  const nodes = new Map<string, { at: number; base: number }>();
  const nodeOf = (key: string, at: number) => {
    let node = nodes.get(key);
    if (node === undefined) {
      node = { at, base: 256 * ++blocks };
      nodes.set(key, node);
      units[at] = (((at ^ node.base) << 10) | (units[at] ?? 0)) >>> 0;
    }
    return node;
  };
  for (const [key, replacement] of keys) {
    let node = nodeOf('', 0);
    const bytes = Buffer.from(key);
    for (const [i, byte] of bytes.entries()) {
      const at = node.base ^ byte;
      units[at] = (units[at] ?? 0) | byte;
      node = nodeOf(bytes.toString('hex', 0, i + 1), at);
    }
    units[node.at] = (units[node.at]! | 0x100) >>> 0;
    units[node.base] = (0x80000000 | replacements.length) >>> 0;
    replacements += `${replacement}\0`;
  }
  const blob = Buffer.alloc(4 + 1024 * (blocks + 1));
  blob.writeUInt32LE(1024 * (blocks + 1));
  for (const [i, unit] of units.entries()) blob.writeUInt32LE(unit ?? 0, 4 + 4 * i);
  return Buffer.concat([blob, Buffer.from(replacements)]);
}

function withCharsmap(): string {
  const json = JSON.parse(Buffer.from(fixtureFile('model/unigram.json')).toString()) as object;
  const normalizer = { type: 'Precompiled', precompiled_charsmap: charsmap().toString('base64') };
  return JSON.stringify({ ...json, normalizer });
}

const loaders: readonly Loader[] = [
  {
    name: 'tokenizer',
    inputs: () => [
      {
        'tokenizer.json': fixtureFile('model/wordpiece.json'),
        ...texts({ 'tokenizer_config.json': config }),
      },
      { 'tokenizer.json': fixtureFile('model/unigram.json') },
      ...['roberta', 'modernbert'].map((name) => ({ 'tokenizer.json': byteLevel(name) })),
      texts({ 'tokenizer.json': withCharsmap() }),
      texts({
        'vocab.txt': `${vocabulary.join('\n')}\n`,
        'tokenizer_config.json': config,
        'special_tokens_map.json': '{"unk_token": "[UNK]", "additional_special_tokens": ["[X]"]}',
        'added_tokens.json': '{"[X]": 12}',
      }),
    ],
    codes: ['CHECKPOINT_INVALID'],
    async load(folder) {
      const tokenizer = await loadTokenizer(folder);
      const size = tokenizer.vocabularySize;
      for (const ids of [tokenizer.encodeQuery(sample, 16), tokenizer.encodePassage('a title', sample, 32)])
        for (const id of ids)
          if (!(Number.isInteger(id) && id >= 0 && id < size))
            throw new UnfitResult(`the id ${id} of ${size}`);
    },
  },
  {
    name: 'charsmap',
    inputs: () => [{ input: charsmap() }],
    codes: ['CHECKPOINT_INVALID'],
    async load(folder) {
      let map: Charsmap;
      try {
        map = Charsmap.read(readFileSync(path.join(folder, 'input')).toString('base64'));
      } catch (error) {
        // Whoever makes a tokenizer says this with its file.
        throw new BenchError('CHECKPOINT_INVALID', (error as Error).message);
      }
      map.normalize(sample);
    },
  },
  {
    name: 'answer-patterns',
    inputs: () => [
      texts({
        input: 'George\\s+(?:W\\.?\\s+)?Bush\n(?P<y>19|20)\\d\\d(?P=y)\n[^]a]{,3}\\Z\n^Two .* houses$',
      }),
      texts({ input: '(\\w+)\\s\\1\n(?i:two)|(?<=a)b\n\\bunaff(able|ected)?\\b\n[\\w.-]+@x{2,3}?' }),
    ],
    // A pattern that takes longer than it may.
    codes: ['DATA_INVALID'],
    async load(folder) {
      const answers = readFileSync(path.join(folder, 'input'), 'utf8').split('\n');
      const passage = new PassageText(`${sample} George W. Bush 1999 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!`);
      for (const mode of ['regex', 'string'] as const) {
        const matcher = new AnswerMatcher(answers, mode);
        matcher.matches(passage);
      }
    },
  },
  {
    name: 'passage-text',
    inputs: () => [texts({ input: `${sample} Running runners run; the cats' houses are 1,000 years old.` })],
    codes: [],
    async load(folder) {
      const text = readFileSync(path.join(folder, 'input'), 'utf8');
      new AnswerMatcher(['the cats', text.slice(0, 10)], 'string').matches(new PassageText(text));
      for (const stemmer of ['porter', 'english', 'none'] as const)
        (await EnglishAnalyzer.open({ stemmer, stopWords: true })).terms(text);
    },
  },
];

export default loaders;
