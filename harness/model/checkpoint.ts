/** Checkpoint folders in the layout of Hugging Face: config.json and weights in safetensors files. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { closing } from '../closing.js';
import { BenchError } from '../errors.js';
import { writeAtomic } from '../store/atomic.js';
import { modelObject } from '../text/model-json.js';
import type { Encoder, EncoderOptions } from './encoder.js';
import type { ModelConfig } from './fields.js';
import { encoderFor } from './known-encoders.js';
import { writeSafetensors } from './safetensors.js';
import { findPrefix, findTensors, readWeights, refuseUnfound } from './stored-weights.js';
import { TensorSource, weightsFile } from './tensor-source.js';

export interface LoadOptions extends EncoderOptions {
  /** Which encoder to take where a file holds several: what stands before its tensors' names, as `question_model.`. */
  prefix?: string;
}

export interface LoadedEncoder {
  encoder: Encoder;
  /** One array per parameter, in the order of `encoder.parameters`. */
  weights: Float32Array[];
  /** What a user of the figures should know of how the weights were read; absent where they were made. */
  remarks?: string[];
}

/**
 * Reads an encoder and its weights. Names with a prefix (`bert.`, `question_model.`) and old ones (`LayerNorm.gamma`)
 * are accepted; heads, poolers, decoders and position ids are left alone.
 * @throws BenchError PATH_INVALID where the folder is not there, CHECKPOINT_INVALID where what it holds cannot be used;
 *   missing, misshapen and non-finite tensors are listed all at once
 */
export async function loadEncoder(folder: string, options: LoadOptions = {}): Promise<LoadedEncoder> {
  const names = await listFolder(folder);
  const encoder = makeEncoder(await readConfig(folder, names), options);
  return closing(await TensorSource.open(folder, names), async (source) => {
    const prefix = findPrefix(source, encoder, options.prefix);
    const stored = findTensors(source, encoder, prefix);
    const { weights, remarks } = await readWeights(source, encoder, stored);
    return { encoder, weights, remarks };
  });
}

/**
 * The encoder of a folder without its weights; whether they are all there, and of the right shapes, is seen from the headers.
 * @throws BenchError as loadEncoder does, as far as it can be said without reading the weights
 */
export async function describeEncoder(folder: string, options: LoadOptions = {}): Promise<Encoder> {
  const names = await listFolder(folder);
  const encoder = makeEncoder(await readConfig(folder, names), options);
  await closing(await TensorSource.open(folder, names), async (source) => {
    const prefix = findPrefix(source, encoder, options.prefix);
    refuseUnfound(source, encoder, findTensors(source, encoder, prefix));
  });
  return encoder;
}

/**
 * The encoder that a config.json describes.
 * @throws BenchError CHECKPOINT_INVALID where its kind or a value is not supported
 */
export function makeEncoder(config: ModelConfig, options: EncoderOptions = {}): Encoder {
  return encoderFor(config).make(config, options);
}

/**
 * Writes a checkpoint that transformers loads with `from_pretrained` of the class that its config.json names: BertModel, T5EncoderModel.
 * @param weights one array per parameter, in the order of `encoder.parameters`
 * @param files what else belongs to it, by file name: tokenizer.json, tokenizer_config.json
 */
export async function saveEncoder(
  folder: string,
  encoder: Encoder,
  weights: readonly Float32Array[],
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<void> {
  const { parameters } = encoder;
  if (weights.length !== parameters.length) {
    throw new RangeError(`${weights.length} weights for ${parameters.length} parameters`);
  }
  const tensors = parameters.map(({ name, shape }, i) => ({ name, shape, values: weights[i]! }));
  await writeSafetensors(path.join(folder, weightsFile), tensors);
  for (const [name, content] of Object.entries(files)) await writeAtomic(path.join(folder, name), content);
  const config = {
    ...encoder.config,
    architectures: [encoderFor(encoder.config).modelTypes[encoder.config.model_type as string]],
    torch_dtype: 'float32',
  };
  await writeAtomic(path.join(folder, 'config.json'), configText(config));
}

/** What transformers 5 takes with a point alone: it refuses a file that says 1 for 1.0, as JavaScript writes it. */
const fractions = /^(\s*"\w+_(?:factor|range|eps|epsilon)": -?\d+)(,?)$/gm;

const configText = (config: ModelConfig): string =>
  `${JSON.stringify(config, null, 2).replace(fractions, '$1.0$2')}\n`;

async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const what =
      code === 'ENOENT' ? 'is not there' : code === 'ENOTDIR' ? 'is a file, not a folder' : `(${code})`;
    throw new BenchError('PATH_INVALID', `The checkpoint folder ${folder} ${what}.`, {
      hint: 'Name a folder that holds config.json, model.safetensors and tokenizer.json.',
      cause,
    });
  }
}

async function readConfig(folder: string, names: readonly string[]): Promise<ModelConfig> {
  const config = await modelObject(path.join(folder, 'config.json'));
  if (config === undefined) {
    throw new BenchError('CHECKPOINT_INVALID', `${folder} holds no config.json.`, {
      hint: `It holds: ${names.join(', ') || 'nothing'}. A checkpoint needs config.json, model.safetensors and a tokenizer.`,
    });
  }
  return config as ModelConfig;
}
