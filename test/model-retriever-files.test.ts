/** A trained retriever is saved whole and read back as it was, whatever its encoders share. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readRetrieverFacts, refuseOtherEncoder } from '../harness/model/retriever-facts.js';
import {
  encoderFolder,
  loadRetrieverWeights,
  retrieverFiles,
  saveRetriever,
  weightsToStartFrom,
} from '../harness/model/retriever-files.js';
import { madeExport } from './made-exports.js';
import { removeClosed } from './open-files.js';

const folder = await mkdtemp(path.join(tmpdir(), 'strata-retriever-'));
after(() => removeClosed(folder));

const inside = (place: string): string[] =>
  readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(place, path.join(entry.parentPath, entry.name)))
    .sort();

for (const [name, kind, tied] of [
  ['mlr-mix', 'bert', true],
  ['mlr-mix', 'bert', false],
  ['dual-encoder', 't5', false],
] as const) {
  test(`${name} over ${kind}, ${tied ? 'one encoder' : 'two encoders'}`, async () => {
    const { retriever, weights, facts } = await madeExport(name, kind, { tied });
    const place = path.join(folder, `${name}-${kind}-${tied}`);
    await saveRetriever(place, retriever, weights, { 'tokenizer.json': '{}', 'vocab.txt': 'a\n' }, facts);
    // All is written when it says so, and nothing is left beside it.
    const owners = tied ? ['encoder'] : ['passage', 'query'];
    const expected = owners.flatMap((owner) =>
      ['config.json', 'model.safetensors', 'tokenizer.json', 'vocab.txt'].map((file) => `${owner}/${file}`),
    );
    if (name === 'mlr-mix') expected.push('pooling.safetensors');
    expected.push('retriever.json');
    assert.deepEqual(inside(place), expected.sort());
    assert.deepEqual(await readRetrieverFacts(place), facts);
    assert.equal(encoderFolder(place, facts), path.join(place, owners[0]!));
    assert.deepEqual(await loadRetrieverWeights(place, retriever), weights);
    assert.deepEqual((await weightsToStartFrom(place, facts, retriever)).weights, weights);
    const files = await retrieverFiles(place, facts);
    assert.deepEqual(
      files.map((file) => file.name),
      expected.map((file) => file.replace(path.sep, '/')),
    );
    assert.ok(files.every(({ sizeBytes, sha256 }) => sizeBytes > 0 && /^[0-9a-f]{64}$/.test(sha256)));
  });
}

test('one encoder begins as both, two never as one; weights of a pooling that are gone are missed', async () => {
  const [one, two] = [await madeExport('mlr', 'bert'), await madeExport('mlr', 'bert', { tied: false })];
  const place = (name: string) => path.join(folder, name);
  await saveRetriever(place('one'), one.retriever, one.weights, {}, one.facts);
  await saveRetriever(place('two'), two.retriever, two.weights, {}, two.facts);
  const { weights: started } = await weightsToStartFrom(place('one'), one.facts, two.retriever);
  for (const owner of ['query', 'passage'] as const)
    for (const { name } of one.retriever.encoder.parameters)
      assert.deepEqual(
        started[two.retriever.indexOf(owner, name)],
        one.weights[one.retriever.indexOf('encoder', name)],
        `${owner}/${name}`,
      );
  await assert.rejects(weightsToStartFrom(place('two'), two.facts, one.retriever), {
    code: 'CHECKPOINT_INVALID',
    message: /has an encoder each for queries and passages/,
  });
  const mixed = await madeExport('mlr-mix', 'bert');
  await saveRetriever(place('mixed'), mixed.retriever, mixed.weights, {}, mixed.facts);
  await rename(path.join(place('mixed'), 'pooling.safetensors'), path.join(place('mixed'), 'other'));
  await assert.rejects(loadRetrieverWeights(place('mixed'), mixed.retriever), {
    code: 'CHECKPOINT_INVALID',
    message: /lacks the weights pooling\//,
  });
});

test('facts that fit an encoder just so are taken: its last layer, a mean before all tokens, as many as there are', async () => {
  const { facts } = await madeExport('mlr', 'bert');
  const taken = (resolved: object, text: object = {}, layers = 2) =>
    refuseOtherEncoder(
      folder,
      {
        ...facts,
        resolved: { ...facts.resolved, ...resolved },
        text: { ...facts.text, maxQueryTokens: 64, maxPassageTokens: 64, ...text },
      },
      { kind: 'bert', dimensions: 8, layers, maxTokens: 64, summary: 'first-token' },
    );
  const three = { layers: [1, 2, 3], vectors: 3 };
  taken({ vectors: 65 });
  taken(three, {}, 3);
  for (const [resolved, text, layers, message] of [
    [{ vectors: 66 }, {}, 2, /vectors is 66, and a passage has 65 at most/],
    [three, {}, 4, /layers is \[1, 2, 3\], and the last of the encoder's layers is 4/],
    [three, {}, 2, /layers is \[1, 2, 3\], and the last of the encoder's layers is 2/],
    [{}, { maxQueryTokens: 65 }, 2, /maxQueryTokens is 65, and the encoder takes 64/],
    [{}, { maxPassageTokens: 65 }, 2, /maxPassageTokens is 65, and the encoder takes 64/],
  ] as const)
    assert.throws(() => taken(resolved, text, layers), { code: 'CHECKPOINT_INVALID', message });
});

test('a pooling weight that is no number is refused by its name', async () => {
  const { retriever, weights, facts } = await madeExport('mlr-mix', 'bert');
  const place = path.join(folder, 'no-number');
  const at = retriever.parameters.findIndex(({ owner }) => owner === 'pooling');
  const spoilt = weights.map((values, i) => (i === at ? values.map(() => Number.NaN) : values));
  await saveRetriever(place, retriever, spoilt, {}, facts);
  await assert.rejects(loadRetrieverWeights(place, retriever), {
    code: 'CHECKPOINT_INVALID',
    message: new RegExp(`${retriever.parameters[at]!.name} holds NaN at element 0; expected finite numbers`),
  });
});
