/** What the files of a tokenizer must be for their text to become ids: the members that are read, their types and their bounds. */
import { faultFinder } from '../json-schema.js';

/** Ids are kept as 32 bits. */
const id = { type: 'integer', minimum: 0, maximum: 2 ** 31 - 2 };
const choice = { type: ['boolean', 'null'] };
const text = { type: 'string', maxLength: 10_000 };
const ids = { type: 'object', additionalProperties: id };

const addedToken = {
  type: 'object',
  required: ['id', 'content'],
  properties: {
    id,
    content: text,
    ...Object.fromEntries(
      ['single_word', 'lstrip', 'rstrip', 'normalized', 'special'].map((name) => [name, choice]),
    ),
  },
};

/** Of an object whose `type` is this. */
const when = (type: string, then: object) => ({
  if: { properties: { type: { const: type } }, required: ['type'] },
  then,
});

const pattern = {
  type: 'object',
  properties: { String: text, Regex: text },
  anyOf: [{ required: ['String'] }, { required: ['Regex'] }],
};

/** A step of a normalizer or a pre-tokenizer; `list` is the member in which a Sequence has its own. */
const step = (list: string, self: string) => ({
  type: ['object', 'null'],
  required: ['type'],
  properties: {
    type: { type: 'string' },
    [list]: { type: 'array', items: { $ref: self } },
    ...Object.fromEntries(
      [
        ...['clean_text', 'handle_chinese_chars', 'strip_accents', 'lowercase', 'strip_left', 'strip_right'],
        ...['add_prefix_space', 'split', 'individual_digits', 'invert', 'trim_offsets', 'use_regex'],
      ].map((name) => [name, choice]),
    ),
    precompiled_charsmap: { type: ['string', 'null'] },
    content: text,
    prepend: text,
    replacement: { type: 'string', minLength: 1, maxLength: 16 },
    prepend_scheme: { enum: ['always', 'first', 'never'] },
    behavior: { type: 'string' },
    length: { type: 'integer', minimum: 1 },
  },
  allOf: [
    when('Sequence', { required: [list] }),
    when('Replace', { required: ['pattern', 'content'], properties: { pattern } }),
    when('Split', { required: ['pattern'], properties: { pattern } }),
    when('FixedLength', { required: ['length'] }),
  ],
});

const model = {
  type: 'object',
  required: ['vocab'],
  properties: {
    type: { type: ['string', 'null'] },
    unk_token: { type: ['string', 'null'] },
    unk_id: { anyOf: [{ type: 'null' }, id] },
    continuing_subword_prefix: { type: ['string', 'null'], maxLength: 100 },
    end_of_word_suffix: { type: ['string', 'null'], maxLength: 100 },
    // A word takes time by its square, and more are of nobody's tongue.
    max_input_chars_per_word: { type: ['integer', 'null'], minimum: 1, maximum: 1000 },
    merges: { type: 'array' },
    byte_fallback: choice,
    fuse_unk: choice,
    ignore_merges: choice,
    vocab: {
      type: ['object', 'array'],
      additionalProperties: id,
      items: { type: 'array', minItems: 2, maxItems: 2, items: [{ type: 'string' }, { type: 'number' }] },
    },
  },
  allOf: [
    when('WordPiece', {
      required: ['unk_token', 'continuing_subword_prefix'],
      properties: {
        unk_token: { type: 'string' },
        continuing_subword_prefix: { type: 'string' },
        vocab: { type: 'object' },
      },
    }),
    when('BPE', { required: ['merges'], properties: { vocab: { type: 'object' } } }),
    when('Unigram', { properties: { vocab: { type: 'array', minItems: 1 } } }),
  ],
};

/** Of segments: more than a few are in nobody's table. */
const type_id = { type: 'integer', minimum: 0, maximum: 2 ** 16 };

const template = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      Sequence: { type: 'object', required: ['id'], properties: { id: { enum: ['A', 'B'] }, type_id } },
      SpecialToken: { type: 'object', required: ['id'], properties: { id: { type: 'string' }, type_id } },
    },
    oneOf: [{ required: ['Sequence'] }, { required: ['SpecialToken'] }],
  },
};
const special = { type: 'array', minItems: 2, maxItems: 2, items: [{ type: 'string' }, id] };

const postProcessor = {
  type: ['object', 'null'],
  required: ['type'],
  properties: {
    type: { type: 'string' },
    processors: { type: 'array', items: { $ref: '#/definitions/postProcessor', type: 'object' } },
    single: template,
    pair: template,
    special_tokens: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        required: ['ids'],
        properties: { ids: { type: 'array', items: id } },
      },
    },
    sep: special,
    cls: special,
  },
  allOf: [when('Sequence', { required: ['processors'] })],
};

export const tokenizerMembers = [
  'added_tokens',
  'normalizer',
  'pre_tokenizer',
  'post_processor',
  'decoder',
  'model',
];

/** One line for the first fault of a tokenizer.json: its vocabulary alone can hold a hundred thousand. */
export const tokenizerFaults = faultFinder(
  () => ({
    definitions: {
      normalizer: step('normalizers', '#/definitions/normalizer'),
      preTokenizer: step('pretokenizers', '#/definitions/preTokenizer'),
      postProcessor,
    },
    type: 'object',
    required: tokenizerMembers,
    properties: {
      added_tokens: { type: 'array', items: addedToken },
      normalizer: { $ref: '#/definitions/normalizer' },
      pre_tokenizer: { $ref: '#/definitions/preTokenizer' },
      post_processor: { $ref: '#/definitions/postProcessor' },
      model,
    },
  }),
  false,
);

const content = { type: ['string', 'object', 'null'], properties: { content: text } };
const roles = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'].map((role) => `${role}_token`);
const specials = {
  ...Object.fromEntries(roles.map((role) => [role, content])),
  additional_special_tokens: { type: ['array', 'null'], items: content },
};

/** Of tokenizer_config.json, special_tokens_map.json and added_tokens.json, under these names. */
export const besideFaults = faultFinder(() => ({
  type: 'object',
  properties: {
    config: {
      type: 'object',
      properties: {
        ...specials,
        tokenizer_class: { type: ['string', 'null'] },
        do_lower_case: choice,
        add_prefix_space: choice,
        strip_accents: choice,
        tokenize_chinese_chars: choice,
        split_special_tokens: choice,
        added_tokens_decoder: {
          type: ['object', 'null'],
          additionalProperties: { ...addedToken, required: ['content'] },
          propertyNames: { pattern: '^\\d{1,10}$' },
        },
      },
    },
    specials: { type: 'object', properties: specials },
    added: ids,
  },
}));
