/** The head of a masked language model in the files of a checkpoint, and its logits. */
import { readdir } from 'node:fs/promises';
import { closing } from '../closing.js';
import type { Tensor, Tensor2D } from '../contracts.js';
import { BenchError } from '../errors.js';
import { layerNorm, linear } from '../tensor/layers.js';
import * as tf from '../tensor/operations.js';
import type { Encoder, MaskedHead, Parameter } from './encoder.js';
import { encoderNamed } from './known-encoders.js';
import { findTensors, readWeights, refuseUnfound } from './stored-weights.js';
import { TensorSource } from './tensor-source.js';

/** @throws BenchError CHECKPOINT_INVALID where the kind of encoder has no head that is known */
export function headOf({ shape: { kind }, config }: Encoder): MaskedHead {
  const { maskedHead } = encoderNamed(kind);
  if (maskedHead !== undefined) return maskedHead(config);
  throw new BenchError('CHECKPOINT_INVALID', `No masked language model of the kind ${kind} is known.`, {
    hint: 'Choose a model that weighs tokens by BERT, DistilBERT, RoBERTa, XLM-R, MPNet or ModernBERT.',
  });
}

/** The arrays of the head that the encoder does not have. */
export function headParameters(head: MaskedHead, { shape, vocabularySize }: Encoder): Parameter[] {
  const { dimensions } = shape;
  const { dense, norm, decoder, biases } = head;
  const weights = (name: string, ...own: number[]): Parameter => ({ name, shape: own, decay: false });
  return [
    weights(`${dense.name}.weight`, dimensions, dimensions),
    ...(dense.hasBias ? [weights(`${dense.name}.bias`, dimensions)] : []),
    weights(`${norm.name}.weight`, dimensions),
    ...(norm.hasBias ? [weights(`${norm.name}.bias`, dimensions)] : []),
    ...(head.tiedTo === undefined ? [weights(decoder, vocabularySize, dimensions)] : []),
    ...biases.slice(0, 1).map((name) => weights(name, vocabularySize)),
  ];
}

/** Finds a weight of the encoder or of its head; undefined where it has none of that name. */
export type HeadWeightOf = (name: string) => Tensor | undefined;

/** What the logits are a product of. @param rows of the last layer, [R, D] @returns the same shape */
export function headStates(head: MaskedHead, rows: Tensor, weightOf: HeadWeightOf): Tensor2D {
  const { dense, norm, epsilon, activate } = head;
  const weight = <T extends Tensor>(name: string) => weightOf(name) as T;
  const projected = linear(rows, weight(`${dense.name}.weight`), weight(`${dense.name}.bias`));
  const gamma = weight<tf.Tensor1D>(`${norm.name}.weight`);
  const beta = weightOf(`${norm.name}.bias`) ?? tf.zeros([gamma.shape[0]]);
  return layerNorm(activate(projected), gamma, beta as tf.Tensor1D, epsilon) as Tensor2D;
}

/** @param states of `headStates`, [R, D] @returns [R, V] */
export function headLogits(head: MaskedHead, states: Tensor, weightOf: HeadWeightOf): Tensor2D {
  const [bias] = head.biases;
  return linear(
    states,
    weightOf(head.tiedTo ?? head.decoder) as Tensor2D,
    bias === undefined ? undefined : (weightOf(bias) as tf.Tensor1D),
  ) as Tensor2D;
}

/** @throws BenchError CHECKPOINT_INVALID where the folder has no head, or one that is misshapen; seen from the headers */
export const describeHead = (folder: string, encoder: Encoder): Promise<void> =>
  withHead(folder, encoder, async ({ source, own, stored }) => refuseUnfound(source, own, stored));

/**
 * @param tableOf a parameter of the encoder, by name: what a tied decoder has to hold
 * @returns one array for each of `headParameters`
 * @throws BenchError as `describeHead`, and for numbers that are not finite
 */
export const loadHead = (
  folder: string,
  encoder: Encoder,
  tableOf: (name: string) => Float32Array,
): Promise<{ weights: Float32Array[]; remarks: string[] }> =>
  withHead(folder, encoder, async ({ head, source, own, stored }) => {
    const { decoder, tiedTo: table } = head;
    if (table !== undefined && source.shapeOf(decoder) !== undefined) {
      const [ours, theirs] = [tableOf(table), await source.read(decoder)];
      if (ours.length !== theirs.length || ours.some((value, i) => value !== theirs[i]))
        throw new BenchError(
          'CHECKPOINT_INVALID',
          `${folder}: ${decoder} differs from ${table}, and config.json says that they are one array.`,
          {
            hint: 'Set tie_word_embeddings to false in config.json where the model was trained with two, or save it again.',
          },
        );
    }
    return readWeights(source, own, stored);
  });

interface FoundHead {
  head: MaskedHead;
  source: TensorSource;
  own: Pick<Encoder, 'parameters' | 'shape'>;
  stored: ReturnType<typeof findTensors>;
}

async function withHead<T>(
  folder: string,
  encoder: Encoder,
  use: (found: FoundHead) => Promise<T>,
): Promise<T> {
  const head = headOf(encoder);
  const { storedNames = (name: string) => [name] } = encoderNamed(encoder.shape.kind);
  return closing(await TensorSource.open(folder, await readdir(folder)), async (source) => {
    const first = `${head.dense.name}.weight`;
    if (source.shapeOf(first) === undefined) {
      throw new BenchError(
        'CHECKPOINT_INVALID',
        `${folder} holds no head of a masked language model, which gives tokens their weights: there is no ${first}.`,
        { hint: 'A model of dense vectors is searched as pretrained:FOLDER.' },
      );
    }
    const own = { shape: encoder.shape, parameters: headParameters(head, encoder) };
    const stored = findTensors(source, own, '', (name) =>
      name === head.biases[0] ? biasNames(head, source) : storedNames(name),
    );
    return await use({ head, source, own, stored });
  });
}

/** What is tied to the table of words has its bias under two names; else the decoder's own is the one that is added. */
function biasNames({ biases, tiedTo }: MaskedHead, source: TensorSource): string[] {
  if (tiedTo !== undefined) return [...biases];
  return [biases.findLast((name) => source.shapeOf(name) !== undefined) ?? biases[0]!];
}
