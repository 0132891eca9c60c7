/** Every family and pooling of the built folders, found by file name, and every combination of them. */
import { readdir } from 'node:fs/promises';
import type {
  ArchitectureFamily,
  ArchitectureOptions,
  EncoderShape,
  EncoderStates,
  Pooling,
  Tensor2D,
  Tensor3D,
} from '../harness/contracts.js';
import * as tf from '../harness/tensor/operations.js';

async function defaultExports<T>(folder: URL): Promise<Map<string, T>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js')).sort();
  const loaded = await Promise.all(names.map((name) => import(new URL(name, folder).href)));
  return new Map(names.map((name, i) => [name.slice(0, -'.js'.length), loaded[i].default as T]));
}

const folder = new URL('../architectures/', import.meta.url);
export const families = await defaultExports<ArchitectureFamily>(folder);
/** By file name. */
export const poolingFiles = await defaultExports<Pooling>(new URL('pooling/', folder));
/** By short name. */
export const poolings = new Map([...poolingFiles.values()].map((pooling) => [pooling.shortName, pooling]));

export interface Combination {
  /** As the command line says it: `mlr-sc`. */
  name: string;
  family: ArchitectureFamily;
  pooling?: Pooling;
}

/** Every combination that its family does not refuse. */
export const combinations: Combination[] = [...families].flatMap(([name, family]) => [
  { name, family },
  ...[...poolings.values()]
    .filter(({ shortName }) => typeof family.poolings[shortName] !== 'string')
    .map((pooling) => ({ name: `${name}-${pooling.shortName}`, family, pooling })),
]);

export type Kind = 'bert' | 't5';

/** Kinds of encoder, with options that change what a family makes of one. */
export const encoderChoices: readonly { over: string; kind: Kind; options: ArchitectureOptions }[] = [
  { over: 'bert', kind: 'bert', options: {} },
  { over: 't5', kind: 't5', options: {} },
  { over: 't5, token vectors alone', kind: 't5', options: { meanFirst: false } },
];

/** What stands for a text in an encoder of this kind. */
export const summaryOf = (kind: Kind): EncoderShape['summary'] => (kind === 't5' ? 'mean' : 'first-token');

/** Given hidden states as an encoder gives them. BERT's summary is position 0, T5's the masked mean. */
export function statesOf(kind: Kind, hidden: readonly Tensor3D[], mask: Tensor2D): EncoderStates {
  const [batch, tokens, dimensions] = hidden[0]!.shape;
  return {
    hidden,
    mask,
    summary(layer) {
      const states = hidden[layer]!;
      if (kind === 'bert') {
        return tf.reshape(tf.slice(states, [0, 0, 0], [batch, 1, dimensions]), [
          batch,
          dimensions,
        ]) as Tensor2D;
      }
      const sum = tf.sum(tf.mul(states, tf.reshape(mask, [batch, tokens, 1])), 1);
      return tf.div(sum, tf.maximum(tf.sum(mask, 1, true), 1)) as Tensor2D;
    },
  };
}
