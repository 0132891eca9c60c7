import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import type { ArchitectureOptions, EncoderShape } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { layerProblems, scaleLayers } from '../harness/model/layer-choice.js';
import { scoringOf } from '../harness/stages/index-terms.js';
import { families } from './found-architectures.js';

const bert = (layers = 12): EncoderShape => ({
  kind: 'bert',
  layers,
  dimensions: 8,
  maxTokens: 512,
  summary: 'first-token',
});
const t5: EncoderShape = {
  kind: 't5',
  layers: 12,
  dimensions: 8,
  maxTokens: Number.POSITIVE_INFINITY,
  summary: 'mean',
};

function resolve(family: string, options: ArchitectureOptions = {}, encoder = bert(), pooling?: string) {
  return families.get(family)!.resolve(options, encoder, pooling);
}

/** Asserts that every sentence given is part of one CONFIG_INVALID. */
function assertRefused(
  family: string,
  options: ArchitectureOptions,
  sentences: readonly RegExp[],
  encoder = bert(),
) {
  assert.throws(
    () => resolve(family, options, encoder),
    (error: unknown) => {
      assert.ok(error instanceof BenchError);
      assert.equal(error.code, 'CONFIG_INVALID');
      assert.ok(error.hint);
      for (const sentence of sentences) assert.match(error.message, sentence);
      assert.equal(error.message.split('\n').length, sentences.length + 1, error.message);
      return true;
    },
  );
}

describe('the layers of mlr', () => {
  it('are the paper’s for 12 layers', () => {
    assert.deepEqual(resolve('mlr').layers, [8, 12]);
    for (const pooling of ['sc', 'avg', 'mix']) {
      assert.deepEqual(resolve('mlr', {}, bert(), pooling).layers, [10, 12]);
    }
  });

  it('scale with the depth of the encoder', () => {
    const single = [1, 2, 3, 4, 6, 8, 24].map((layers) => scaleLayers([10, 12], layers));
    assert.deepEqual(single, [[1], [1, 2], [2, 3], [3, 4], [5, 6], [7, 8], [20, 24]]);
    const multi = [1, 2, 3, 4, 6, 8, 24].map((layers) => scaleLayers([8, 12], layers));
    assert.deepEqual(multi, [[1], [1, 2], [2, 3], [3, 4], [4, 6], [5, 8], [16, 24]]);
  });

  it('always hold the last and never repeat, whatever the depth', () => {
    for (let layers = 1; layers <= 48; layers++) {
      for (const set of [[8, 12], [10, 12], [1, 2, 3, 12], Array.from({ length: 12 }, (_, i) => i + 1)]) {
        const scaled = scaleLayers(set, layers);
        assert.equal(scaled.at(-1), layers);
        assert.equal(new Set(scaled).size, Math.min(set.length, layers));
        assert.ok(scaled.every((layer) => layer >= 1));
      }
    }
  });

  it('are refused with every fault, in one order', () => {
    assert.deepEqual(layerProblems({ layers: [0, 3, 3], vectors: 0.5 }, 12), [
      'arch.layers: [0, 3, 3] holds 0; the encoder has the layers 1 to 12',
      'arch.layers: [0, 3, 3] holds 3 more than once',
      'arch.layers: [0, 3, 3] lacks the last layer, 12',
      'arch.vectors: 0.5 is not a whole number of 1 or more',
    ]);
  });

  it('are placed last, first or uniform', () => {
    const placed = (layers: 'last' | 'first' | 'uniform', vectors: number, depth = 12) =>
      resolve('mlr', { layers, vectors }, bert(depth)).layers;
    assert.deepEqual(placed('last', 4), [9, 10, 11, 12]);
    assert.deepEqual(placed('first', 4), [1, 2, 3, 12]);
    assert.deepEqual(placed('uniform', 4), [3, 6, 9, 12]);
    // Where m does not divide L, the multiples of L / m are rounded, halves up: 2.4, 4.8, 7.2, 9.6 and 12; 1.5, 3, 4.5, ...
    assert.deepEqual(placed('uniform', 5), [2, 5, 7, 10, 12]);
    assert.deepEqual(placed('uniform', 7), [2, 3, 5, 7, 9, 10, 12]);
    assert.deepEqual(placed('uniform', 8), [2, 3, 5, 6, 8, 9, 11, 12]);
    assert.deepEqual(placed('uniform', 3, 7), [2, 5, 7]);
    for (const placement of ['last', 'first', 'uniform'] as const) {
      for (let vectors = 1; vectors <= 5; vectors++) {
        const layers = placed(placement, vectors, 5);
        assert.equal(layers.at(-1), 5);
        assert.equal(new Set(layers).size, vectors);
      }
    }
  });

  it('follow figure 3 where only their number is given', () => {
    assert.deepEqual(resolve('mlr', { vectors: 2 }).layers, [8, 12]);
    assert.deepEqual(resolve('mlr', { vectors: 4 }).layers, [9, 10, 11, 12]);
    assert.deepEqual(resolve('mlr', { vectors: 1 }).layers, [12]);
  });

  it('are taken from a list in any order', () => {
    assert.deepEqual(resolve('mlr', { layers: [12, 3, 7] }).layers, [3, 7, 12]);
    assert.equal(resolve('mlr', { layers: [12, 3, 7] }).vectors, 3);
  });
});

describe('lambda', () => {
  const lambda = (family: string, options: ArchitectureOptions = {}, layers = 12) =>
    resolve(family, options, bert(layers), 'sc').lambda;

  it('defaults to the paper’s', () => {
    assert.equal(lambda('mlr'), 1);
    assert.equal(lambda('mlr', { layers: 'last', vectors: 12 }), 0.1);
    assert.equal(lambda('mlr', {}, 2), 1, 'the {1, 2} of two layers stands for {10, 12}');
    assert.equal(lambda('mlr', { layers: 'last', vectors: 3 }), 1, 'three layers of twelve are not all');
    assert.equal(lambda('mlr', { layers: 'last', vectors: 3 }, 3), 0.1);
    assert.equal(lambda('me-bert'), 1);
    assert.equal(lambda('colbert-cls'), 0.01);
    assert.equal(lambda('mlr', { lambda: 0 }), 0);
    assert.equal(lambda('me-bert', { lambda: 10 }), 10);
  });

  it('is 0 where it plays no part', () => {
    for (const family of families.keys()) assert.equal(resolve(family, { lambda: 1 }).lambda, 0);
    for (const pooling of ['avg', 'mix'])
      assert.equal(resolve('mlr', { lambda: 1 }, bert(), pooling).lambda, 0);
  });
});

describe('the vectors of a passage', () => {
  it('are counted', () => {
    assert.equal(resolve('dual-encoder', { vectors: 1 }).vectors, 1);
    assert.equal(resolve('me-bert').vectors, 8);
    assert.equal(resolve('me-bert', { vectors: 3 }).vectors, 3);
    assert.equal(resolve('colbert-cls').vectors, 'varies');
    assert.equal(resolve('mlr').vectors, 2);
  });

  it('of me-bert mask short passages unless told otherwise', () => {
    assert.equal(resolve('me-bert').maskShort, true);
    assert.equal(resolve('me-bert', { maskShort: false }).maskShort, false);
  });

  it('of T5 begin with the mean', () => {
    assert.equal(resolve('me-bert', {}, t5).meanFirst, true);
    assert.equal(resolve('colbert-cls', {}, t5).meanFirst, true);
    assert.equal(resolve('me-bert').meanFirst, false);
  });

  it('of T5 are those of the tokens alone where they are told so, and named by them', () => {
    for (const name of ['me-bert', 'colbert-cls']) {
      const told = resolve(name, { meanFirst: false }, t5);
      assert.equal(told.meanFirst, false);
      const { vectorName } = families.get(name)!;
      assert.deepEqual([vectorName!(0, told), vectorName!(0, resolve(name, {}, t5))], ['token 1', 'mean']);
    }
    assert.equal(resolve('me-bert', { meanFirst: true }).meanFirst, false, 'BERT has a [CLS]');
    assert.equal(resolve('mlr', { meanFirst: false }, t5).meanFirst, undefined);
  });
});

describe('wrong options', () => {
  it('are named together', () => {
    assertRefused('mlr', { layers: [0, 1.5, 3, 3, 13], vectors: 0, lambda: -1 }, [
      /arch\.layers: \[0, 1\.5, 3, 3, 13\] holds 0, 1\.5, 13; the encoder has the layers 1 to 12/,
      /arch\.layers: .* holds 3 more than once/,
      /arch\.layers: .* lacks the last layer, 12/,
      /arch\.vectors: 0 is not a whole number of 1 or more/,
      /arch\.lambda: -1 is not a number of 0 or more/,
    ]);
  });

  it('of layers and vectors are refused', () => {
    assertRefused('mlr', { layers: [10] }, [/lacks the last layer, 12/]);
    assertRefused('mlr', { layers: [] }, [/lacks the last layer, 12/]);
    assertRefused('mlr', { layers: [10, 12], vectors: 3 }, [
      /arch\.vectors: 3, but arch\.layers \[10, 12\] holds 2/,
    ]);
    assertRefused('mlr', { layers: 'uniform' }, [/'uniform' needs arch\.vectors/]);
    assertRefused('mlr', { layers: 'lastt' as 'last', vectors: 2 }, [/did you mean 'last'\?/]);
    assertRefused(
      'mlr',
      { layers: 'last', vectors: 3 },
      [/3 vectors need as many layers; the encoder has 2/],
      bert(2),
    );
    assertRefused('mlr', { vectors: Number.NaN }, [/arch\.vectors: NaN/]);
  });

  it('are refused where a family has a number of vectors of its own', () => {
    assertRefused('dual-encoder', { vectors: 3 }, [
      /arch\.vectors: 3, but a dual encoder has 1 vector per passage/,
    ]);
    assertRefused('colbert-cls', { vectors: 3 }, [
      /arch\.vectors: 3, but ColBERT has one vector for each token/,
    ]);
    assertRefused('colbert-cls', { vectors: 1 }, [/arch\.vectors: 1, but ColBERT/]);
    assertRefused('dual-encoder', { vectors: 1.5 }, [/arch\.vectors: 1\.5 is not a whole number/]);
  });

  it('of me-bert are refused where no passage has as many tokens', () => {
    assertRefused('me-bert', { vectors: 513 }, [/513 is more than the 512 vectors/]);
    assert.equal(resolve('me-bert', { vectors: 513 }, t5).vectors, 513);
    assert.equal(resolve('me-bert', { vectors: 512 }).vectors, 512);
    // The mean is one more, where it stands first.
    const short = { ...t5, maxTokens: 512 };
    assert.equal(resolve('me-bert', { vectors: 513 }, short).vectors, 513);
    assertRefused('me-bert', { vectors: 514 }, [/514 is more than the 513 vectors/], short);
    assertRefused('me-bert', { vectors: 513, meanFirst: false }, [/more than the 512 vectors/], short);
  });

  it('are refused by every family, used or not', () => {
    for (const family of families.keys()) {
      for (const lambda of [-0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        assertRefused(family, { lambda }, [/arch\.lambda/]);
      }
      assertRefused(family, { vectors: 0 }, [/arch\.vectors: 0/]);
      assertRefused(family, { layers: [12, 14] }, [/holds 14/]);
      assertRefused(family, { maskShort: 'yes' as unknown as boolean }, [/arch\.maskShort: "yes"/]);
      assertRefused(family, { meanFirst: 1 as unknown as boolean }, [/arch\.meanFirst: 1/]);
    }
  });
});

describe('what a vector is called', () => {
  it('in mlr is the layer it is of, the last first', () => {
    const { vectorName } = families.get('mlr')!;
    const resolved = resolve('mlr', { layers: [3, 6, 12] });
    assert.deepEqual(
      [0, 1, 2].map((row) => vectorName!(row, resolved)),
      ['layer 12', 'layer 6', 'layer 3'],
    );
  });

  it('in families of tokens is the place of the token, behind the mean where that stands first', () => {
    for (const name of ['me-bert', 'colbert-cls']) {
      const { vectorName } = families.get(name)!;
      const names = (encoder: EncoderShape) =>
        [0, 1, 2].map((row) => vectorName!(row, resolve(name, {}, encoder)));
      assert.deepEqual(names(bert()), ['token 1', 'token 2', 'token 3']);
      assert.deepEqual(names(t5), ['mean', 'token 1', 'token 2']);
    }
  });
});

it("BM25 has the parameters of Anserini's BM25 and its English analyzer", async () => {
  const { k1, b, stemmer, stopWords } = scoringOf(defaultConfig());
  assert.deepEqual([k1, b, stemmer, stopWords], [0.9, 0.4, 'porter', true]);
});
