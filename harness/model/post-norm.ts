/**
 * What BERT and its kin share: blocks of attention and a feed-forward network, each with a normalization behind it (Devlin et al.
 * 2019). An encoder says what its tensors are called, how its embeddings are summed, and what it adds to the scores of attention.
 */
import type { EncoderShape, EncoderStates } from '../contracts.js';
import { layerNorm, linear } from '../tensor/layers.js';
import { lookUp } from '../tensor/look-up.js';
import * as tf from '../tensor/operations.js';
import { activeSites, Dropouts, firstQueries, joinHeads, paddingBias, splitHeads } from './attention.js';
import type { DropoutSite, Encoder, EncoderInput, Parameter } from './encoder.js';
import type { ModelConfig } from './fields.js';
import { firstTokenStates } from './last-layer.js';

type Tensor = tf.Tensor;

/** Finds a weight by the name of its parameter. */
export type WeightOf = <T extends Tensor>(name: string) => T;

/** What the tensors of one layer are called, without `.weight` and `.bias`. */
export interface LayerNames {
  query: string;
  key: string;
  value: string;
  /** Behind attention. */
  output: string;
  outputNorm: string;
  wide: string;
  narrow: string;
  narrowNorm: string;
}

export interface PostNormParts {
  kind: string;
  config: ModelConfig;
  layers: number;
  dimensions: number;
  heads: number;
  intermediate: number;
  vocabularySize: number;
  paddingId: number;
  /** The longest input, in tokens. */
  maxTokens: number;
  epsilon: number;
  hiddenRate: number;
  attentionRate: number;
  /** Whether what attention gives is dropped from before it is added; everywhere but in DistilBERT. */
  dropsAttended: boolean;
  activate: (x: Tensor) => Tensor;
  /** What `embed` uses beside the words, in the order of the parameters: rows of D numbers each. */
  tables: readonly { name: string; rows: number }[];
  names(layer: number): LayerNames;
  /** See `Encoder.segments`. */
  segments?: number;
  /** Tables of other widths, behind the embeddings' normalization. */
  more?: readonly Parameter[];
  /** What is added to the embeddings of the words: [T, D] or [B, T, D]. */
  places(weight: WeightOf, input: EncoderInput): Tensor;
  /** What is added to the scores of attention in every layer, [1, H, T, T]; nothing where absent. */
  scoreBias?(weight: WeightOf, tokens: number): Tensor;
}

export const wordTable = 'embeddings.word_embeddings';
export const embeddingNorm = 'embeddings.LayerNorm';

export function postNormEncoder(parts: PostNormParts): Encoder {
  const { kind, config, layers, dimensions, heads, maxTokens, hiddenRate, attentionRate } = parts;
  const { intermediate, vocabularySize, paddingId, epsilon, activate, dropsAttended } = parts;
  const parameters = postNormParameters(parts);
  const positionOf = new Map(parameters.map((parameter, i) => [parameter.name, i]));

  function states(weights: readonly Tensor[], input: EncoderInput, keep?: readonly Tensor[]): EncoderStates {
    const [batch, tokens] = input.ids.shape;
    const weight: WeightOf = <T extends Tensor>(name: string) => weights[positionOf.get(name)!] as T;
    const dropouts = new Dropouts(keep);
    const project = (x: Tensor, name: string) => linear(x, weight(`${name}.weight`), weight(`${name}.bias`));
    const normalize = (x: Tensor, name: string) =>
      layerNorm(x, weight(`${name}.weight`), weight(`${name}.bias`), epsilon);
    const padding = paddingBias(input.mask); // [B, 1, 1, T]
    const own = parts.scoreBias?.(weight, tokens);
    const bias = own === undefined ? padding : tf.add(own, padding); // [B, H, T, T]

    const ids = tf.reshape(input.ids, [-1]) as tf.Tensor1D;
    const words = lookUp(weight(`${wordTable}.weight`), ids, input.plan); // [B * T, D]
    const sum = tf.add(tf.reshape(words, [batch, tokens, dimensions]), parts.places(weight, input)); // [B, T, D]
    const embedded = dropouts.apply(normalize(sum, embeddingNorm), hiddenRate) as tf.Tensor3D;

    /** @param positions for how many of the first tokens the output is computed @returns [B, positions, D] */
    function block(l: number, h: tf.Tensor3D, positions: number, masks: Dropouts): tf.Tensor3D {
      const names = parts.names(l);
      const all = tf.reshape(h, [batch * tokens, dimensions]); // [B * T, D]
      const own =
        positions === tokens
          ? all
          : tf.reshape(tf.slice(h, [0, 0, 0], [batch, positions, dimensions]), [
              batch * positions,
              dimensions,
            ]);
      const part = (name: string, rows: Tensor, count: number) =>
        splitHeads(project(rows, name), batch, count, heads); // [B, H, count, K]
      const scaled = tf.mul(part(names.query, own, positions), 1 / Math.sqrt(dimensions / heads));
      const products = tf.matMul(scaled, part(names.key, all, tokens), false, true); // [B, H, positions, T]
      const scores = tf.add(products, firstQueries(bias, positions));
      const attention = masks.apply(tf.softmax(scores), attentionRate, positions);
      const mixed = joinHeads(tf.matMul(attention, part(names.value, all, tokens))); // [B * positions, D]
      const projected = project(mixed, names.output);
      const attended = dropsAttended ? masks.apply(projected, hiddenRate, positions) : projected;
      const inner = normalize(tf.add(attended, own), names.outputNorm);
      const wide = activate(project(inner, names.wide)); // [B * positions, F]
      const narrow = masks.apply(project(wide, names.narrow), hiddenRate, positions); // [B * positions, D]
      const output = normalize(tf.add(narrow, inner), names.narrowNorm);
      return tf.reshape(output, [batch, positions, dimensions]); // [B, positions, D]
    }

    return firstTokenStates(embedded, layers, input.mask, dropouts, block);
  }

  const shape: EncoderShape = { kind, layers, dimensions, maxTokens, summary: 'first-token' };
  return {
    ...{ shape, heads, intermediate, vocabularySize, paddingId, parameters, config, states },
    ...(parts.segments !== undefined && { segments: parts.segments }),
    trainsPadding: false,
    dropoutSites(batch, tokens) {
      const vectors: DropoutSite = { shape: [batch, tokens, dimensions], rate: hiddenRate };
      const attention: DropoutSite = { shape: [batch, heads, tokens, tokens], rate: attentionRate };
      const layer = dropsAttended ? [attention, vectors, vectors] : [attention, vectors];
      return activeSites([vectors, ...Array.from({ length: layers }, () => layer).flat()]);
    },
  };
}

function postNormParameters(parts: PostNormParts): Parameter[] {
  const { dimensions, intermediate } = parts;
  const parameters: Parameter[] = [];
  const table = (name: string, rows: number) =>
    parameters.push({ name: `${name}.weight`, shape: [rows, dimensions], decay: true });
  const dense = (name: string, outputs: number, inputs: number) =>
    parameters.push(
      { name: `${name}.weight`, shape: [outputs, inputs], decay: true },
      { name: `${name}.bias`, shape: [outputs], decay: false },
    );
  const norm = (name: string) =>
    parameters.push(
      { name: `${name}.weight`, shape: [dimensions], decay: false },
      { name: `${name}.bias`, shape: [dimensions], decay: false },
    );
  table(wordTable, parts.vocabularySize);
  for (const { name, rows } of parts.tables) table(name, rows);
  norm(embeddingNorm);
  parameters.push(...(parts.more ?? []));
  for (let l = 0; l < parts.layers; l++) {
    const names = parts.names(l);
    for (const name of [names.query, names.key, names.value, names.output])
      dense(name, dimensions, dimensions);
    norm(names.outputNorm);
    dense(names.wide, intermediate, dimensions);
    dense(names.narrow, dimensions, intermediate);
    norm(names.narrowNorm);
  }
  return parameters;
}

/** A parameter of a normalization may be stored by its old name. */
export function withOldNames(name: string): string[] {
  const old = name
    .replace(/LayerNorm\.weight$/, 'LayerNorm.gamma')
    .replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
  return old === name ? [name] : [name, old];
}
