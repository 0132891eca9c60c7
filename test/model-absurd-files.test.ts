/** Files of a model in which a field is something that it should not be: they load, or are refused as an error of the file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { describeEncoder, loadEncoder, makeEncoder } from '../harness/model/checkpoint.js';
import { readRetrieverFacts, refuseOtherEncoder } from '../harness/model/retriever-facts.js';
import { scratchEncoder } from '../harness/model/scratch.js';
import { makeTokenizer } from '../harness/text/tokenizer.js';
import { withAbsurdFields } from './absurd-values.js';
import { removeClosed } from './open-files.js';
import { inFixtures } from './places.js';

const read = (file: string) => JSON.parse(readFileSync(inFixtures(`model/${file}`), 'utf8'));

/** Whether the work ends well; false where it ends with an error that names what is wrong with the files. */
async function isTaken(what: string, work: () => unknown, codes = ['CHECKPOINT_INVALID']): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    assert.ok(error instanceof BenchError, `${what}: ${(error as Error).stack}`);
    assert.ok(codes.includes(error.code), `${what}: ${error.code} ${error.message}`);
    assert.ok(error.message.length < 8000, `${what}: a message of ${error.message.length} letters`);
    return false;
  }
}

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-absurd-'));
});
after(() => removeClosed(folder));

describe('config.json', () => {
  for (const name of ['bert-gelu', 't5-gated']) {
    test(`each field of ${name}`, async () => {
      const checkpoint = path.join(folder, name);
      await cp(inFixtures(`model/${name}`), checkpoint, { recursive: true });
      let [taken, refused] = [0, 0];
      for (const { what, value } of withAbsurdFields(read(`${name}/config.json`), 100)) {
        // Infinity is written as JSON can hold it, and read as such.
        const text = JSON.stringify(value, (_, each) => (each === Number.POSITIVE_INFINITY ? '1e999' : each));
        await writeFile(path.join(checkpoint, 'config.json'), text.replaceAll('"1e999"', '1e999'));
        if (await isTaken(what, () => loadEncoder(checkpoint))) taken++;
        else refused++;
      }
      assert.ok(taken > 100 && refused > 100, `${taken} taken, ${refused} refused`);
    });
  }

  test('a thousand million layers are refused before one is made', () => {
    const config = read('bert-gelu/config.json');
    for (const key of ['num_hidden_layers', 'hidden_size', 'vocab_size', 'max_position_embeddings']) {
      assert.throws(() => makeEncoder({ ...config, [key]: 1e9 }), {
        code: 'CHECKPOINT_INVALID',
        message: new RegExp(`${key} is 1000000000 and must be a whole number from 1 to \\d+`),
      });
    }
  });

  test('sizes that can be are compared with the file, and of many tensors that are missing some are named', async () => {
    const checkpoint = path.join(folder, 'many');
    await cp(inFixtures('model/bert-gelu'), checkpoint, { recursive: true });
    const config = { ...read('bert-gelu/config.json'), num_hidden_layers: 4096, vocab_size: 2 ** 24 };
    await writeFile(path.join(checkpoint, 'config.json'), JSON.stringify(config));
    for (const load of [loadEncoder, describeEncoder]) {
      await assert.rejects(load(checkpoint), (error: BenchError) => {
        assert.match(error.message, /word_embeddings\.weight is \[\d+,\d+\]; expected \[16777216,/);
        assert.match(error.message, /and 6\d{4} more$/);
        return error.code === 'CHECKPOINT_INVALID';
      });
    }
  });

  test('what would not fit the memory is refused, however much of it a sparse file claims', async () => {
    const checkpoint = path.join(folder, 'sparse');
    await cp(inFixtures('model/bert-gelu'), checkpoint, { recursive: true });
    const [rows, columns] = [2 ** 24, 2 ** 16];
    const config = { ...read('bert-gelu/config.json'), hidden_size: columns, vocab_size: rows };
    await writeFile(path.join(checkpoint, 'config.json'), JSON.stringify(config));
    const bytes = 4 * rows * columns;
    const header = JSON.stringify({
      'embeddings.word_embeddings.weight': { dtype: 'F32', shape: [rows, columns], data_offsets: [0, bytes] },
    });
    const file = path.join(checkpoint, 'model.safetensors');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    await writeFile(file, Buffer.concat([length, Buffer.from(header)]));
    await truncate(file, 8 + header.length + bytes);
    await assert.rejects(loadEncoder(checkpoint), {
      code: 'OUT_OF_MEMORY',
      message: /The weights of .*sparse would take 4,096 GiB of memory or more, and this machine has /,
    });
  });

  test('a random model that would not fit the memory is refused before its weights are drawn', () => {
    const sizes = { layers: 1000, dimensions: 65536, heads: 64, intermediate: 65536, dropout: 0 };
    assert.throws(() => scratchEncoder({ ...sizes, vocabularySize: 1000, maxTokens: 512 }, 1), {
      code: 'OUT_OF_MEMORY',
      message: /The weights of a model of these sizes would take [\d,.]+ GiB of memory or more/,
    });
  });
});

describe('files of weights', () => {
  test('each field of their index, a tensor in two files, and what is no file', async () => {
    const checkpoint = path.join(folder, 'parts');
    await cp(inFixtures('model/bert-gelu'), checkpoint, { recursive: true });
    const whole = path.join(checkpoint, 'model.safetensors');
    const [first, second] = [1, 2].map((part) => path.join(checkpoint, `part-${part}.safetensors`)) as [
      string,
      string,
    ];
    await rename(whole, first);
    await cp(first, second);
    const index = { weight_map: { a: 'part-1.safetensors', b: 'part-1.safetensors' } };
    const write = (value: unknown) =>
      writeFile(path.join(checkpoint, 'model.safetensors.index.json'), JSON.stringify(value));
    await write(index);
    assert.ok(await isTaken('the index', () => loadEncoder(checkpoint)));
    for (const { what, value } of withAbsurdFields(index)) {
      await write(value);
      const isFine = await isTaken(what, () => loadEncoder(checkpoint));
      assert.equal(isFine, what.startsWith('weight_map.') && what.endsWith(' left out'), what);
    }
    for (const value of [null, [], 'x', {}]) {
      await write(value);
      assert.ok(!(await isTaken(JSON.stringify(value), () => loadEncoder(checkpoint))));
    }
    await write({ weight_map: { a: 'part-1.safetensors', b: 'part-2.safetensors' } });
    await assert.rejects(loadEncoder(checkpoint), {
      code: 'CHECKPOINT_INVALID',
      message: /holds the tensor '.*' twice: in part-1\.safetensors and in part-2\.safetensors/,
    });
    await mkdir(whole);
    await assert.rejects(loadEncoder(checkpoint), { code: 'PATH_INVALID', message: /is not a file/ });
  });
});

describe('tokenizer files', () => {
  for (const name of ['wordpiece', 'unigram']) {
    test(`each field of tokenizer.json of ${name}`, async () => {
      let [taken, refused] = [0, 0];
      for (const { what, value } of withAbsurdFields(read(`${name}.json`))) {
        const isFine = await isTaken(what, async () => {
          const tokenizer = await makeTokenizer(value);
          const ids = [
            ...tokenizer.encodeQuery('which \u{1f40e} [MASK]?', 16),
            ...tokenizer.encodePassage('A title', `a text ${'of '.repeat(30)} ${'x'.repeat(300)}`, 32),
          ];
          for (const id of ids) assert.ok(id >= 0 && id < tokenizer.vocabularySize, `${what}: id ${id}`);
        });
        if (isFine) taken++;
        else refused++;
      }
      assert.ok(taken > 100 && refused > 100, `${taken} taken, ${refused} refused`);
    });
  }

  test('each field of the files beside it', async () => {
    const beside = {
      config: {
        tokenizer_class: 'BertTokenizer',
        do_lower_case: true,
        strip_accents: null,
        tokenize_chinese_chars: true,
        split_special_tokens: false,
        unk_token: '[UNK]',
        cls_token: { content: '[CLS]' },
        additional_special_tokens: ['[SEP]', { content: '[MASK]' }],
        added_tokens_decoder: { 0: { content: '[PAD]', special: true, lstrip: false } },
      },
      specials: { mask_token: '[MASK]' },
      added: { '[PAD]': 0 },
    };
    const json = read('wordpiece.json');
    for (const { what, value } of withAbsurdFields(beside, 20)) {
      const { config, ...more } = value as typeof beside;
      await isTaken(what, async () =>
        (await makeTokenizer(json, config, 'tokenizer.json', more)).encodeText('a text'),
      );
    }
  });

  test('what the fields say is named with the value', async () => {
    const json = read('wordpiece.json');
    const refused = (change: object, message: RegExp) =>
      assert.rejects(makeTokenizer({ ...json, ...change }), { code: 'CHECKPOINT_INVALID', message });
    await refused({ model: null }, /\$\.model must be object, not null/);
    await refused(
      { post_processor: { ...json.post_processor, single: {} } },
      /single must be array, not \{\}/,
    );
    await refused(
      { model: { ...json.model, vocab: { a: 1e308 } } },
      /vocab\.a must be <= 2147483646, not 1e\+308/,
    );
    await refused({ model: { ...json.model, vocab: { a: -1 } } }, /vocab\.a must be >= 0, not -1/);
    await refused({ pre_tokenizer: { type: 'FixedLength', length: 0 } }, /length must be >= 1, not 0/);
    const [cls, text, sep] = json.post_processor.single;
    const single = (items: unknown[]) => ({ post_processor: { ...json.post_processor, single: items } });
    await refused(single([cls, sep]), /does not have the text A once/);
    await refused(single([cls, text, text, sep]), /does not have the text A once/);
  });

  test('a normalizer that makes millions of letters of one', async () => {
    const twice = { type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(100) };
    const normalizer = { type: 'Sequence', normalizers: [twice, twice] };
    const tokenizer = await makeTokenizer({ ...read('wordpiece.json'), normalizer });
    assert.throws(() => tokenizer.encodeText('aa'), {
      code: 'CHECKPOINT_INVALID',
      message: /its normalizer makes 20000 letters of 2/,
    });
  });

  test('a word without end is an error of the collection', async () => {
    const tokenizer = await makeTokenizer(read('unigram.json'));
    assert.throws(() => tokenizer.encodeText('a'.repeat(200_000)), {
      code: 'DATA_INVALID',
      message: /A word of 200,001 letters, '\u2581aaa.*', is too long for the tokenizer/,
    });
  });
});

test('each field of retriever.json', async () => {
  const shape = { kind: 'bert', layers: 2, dimensions: 8, maxTokens: 64, summary: 'first-token' } as const;
  const facts = {
    architecture: 'mlr-sc',
    resolved: { layers: [1, 2], vectors: 2, lambda: 1, maskShort: true, meanFirst: false },
    tied: false,
    model: 'scratch',
    t5LayerNorm: 'last',
    text: { maxQueryTokens: 64, maxPassageTokens: 64, pairTruncation: 'joined' },
  };
  const write = (value: unknown) => writeFile(path.join(folder, 'retriever.json'), JSON.stringify(value));
  await write(facts);
  assert.deepEqual(await readRetrieverFacts(folder), facts);
  const optional =
    /^resolved\.(maskShort|meanFirst) (left out|= true)|^tied = true|^(architecture|model) = "[^"]+"|lambda = \d|layers\.0 (= 0|left out)/;
  for (const { what, value } of withAbsurdFields(facts)) {
    await write(value);
    const isFine = await isTaken(what, async () =>
      refuseOtherEncoder(folder, await readRetrieverFacts(folder), shape),
    );
    assert.ok(!isFine || optional.test(what), `${what} was taken`);
  }
});
