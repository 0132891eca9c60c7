/** The tokenizers of the encoders against the `tokenizers` library, on texts of many scripts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { crc32, gunzipSync } from 'node:zlib';
import { makeTokenizer } from '../harness/text/tokenizer.js';
import { madeTexts } from './made-texts.js';
import { inFixtures } from './places.js';

const folder = inFixtures('tokenizers');
const count = 5000;
const texts = madeTexts(count);

interface References {
  /** Checksums of the ids of every text, little-endian, in base64. */
  texts: string;
  /** Texts with their ids, specials around them, cut to 24. */
  first: [string, number[]][];
  /** Checksums of pairs cut to 24 ids. */
  pairs: number[];
  madeOf: number;
}

const checksum = (ids: readonly number[]) => crc32(new Uint8Array(Int32Array.from(ids).buffer));

/** tokenizer.json of a fixture. */
const jsonOf = (name: string) =>
  JSON.parse(gunzipSync(readFileSync(path.join(folder, `${name}.json.gz`))).toString());

test("RoBERTa's class puts a blank before a text where tokenizer_config.json says so, whatever tokenizer.json has", async () => {
  for (const name of ['roberta', 'byte-level-prefixed'])
    for (const [config, prefixes] of [
      [{ tokenizer_class: 'RobertaTokenizer' }, false],
      [{ tokenizer_class: 'RobertaTokenizerFast', add_prefix_space: true }, true],
      [{ tokenizer_class: 'PreTrainedTokenizerFast' }, name === 'byte-level-prefixed'],
    ] as const) {
      const tokenizer = await makeTokenizer(jsonOf(name), config);
      const isAlike = tokenizer.encodeText('lamp').join() === tokenizer.encodeText(' lamp').join();
      assert.equal(isAlike, prefixes, `${name} ${JSON.stringify(config)}`);
    }
});

for (const name of ['roberta', 'byte-level-prefixed', 'modernbert', 'xlm-roberta']) {
  describe(`the tokenizer ${name}`, async () => {
    const references: References = JSON.parse(readFileSync(path.join(folder, `${name}-ids.json`), 'utf8'));
    const tokenizer = await makeTokenizer(jsonOf(name));

    test('the texts are those of the references', () => {
      assert.equal(crc32(texts.join('\n')), references.madeOf);
      assert.deepEqual(
        references.first.map(([text]) => text),
        texts.slice(0, 20),
      );
    });

    test(`${count} texts have the ids that the library gives them`, () => {
      for (const [text, ids] of references.first)
        assert.deepEqual([...tokenizer.encodeSingle(text, 24)], ids, JSON.stringify(text));
      const bytes = Buffer.from(references.texts, 'base64');
      assert.equal(bytes.length, 4 * count);
      const others = texts.filter(
        (text, i) => checksum(tokenizer.encodeText(text)) !== bytes.readUInt32LE(4 * i),
      );
      assert.deepEqual(
        others.slice(0, 20).map((text) => [text, tokenizer.encodeText(text)]),
        [],
        `${others.length} differ`,
      );
    });

    test('pairs are framed and cut as the library does it', () => {
      const pairs = Array.from({ length: 100 }, (_, i) => [texts[2 * i]!, texts[2 * i + 1]!] as const);
      // A title of no tokens is none.
      const titled = pairs.filter(([title]) => tokenizer.encodeText(title).length > 0);
      assert.deepEqual(
        titled.map(([title, text]) => checksum([...tokenizer.encodePassage(title, text, 24)])),
        references.pairs,
      );
    });
  });
}
