/** Checkpoint folders in the layout of Hugging Face: config.json and weights in safetensors files. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { writeAtomic, writeJson } from '../store/atomic.js';
import { bertEncoder } from './bert.js';
import type { Encoder } from './encoder.js';
import type { ModelConfig } from './fields.js';
import { writeSafetensors } from './safetensors.js';
import { type T5Options, t5Encoder } from './t5.js';
import { TensorSource, weightsFile } from './tensor-source.js';

type Kind = Encoder['shape']['kind'];

export interface LoadOptions extends T5Options {
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

/** How each kind is recognised: the end of a name that every checkpoint of it has exactly once. */
const kinds: Record<Kind, { landmark: string; architecture: string }> = {
  bert: { landmark: 'encoder.layer.0.attention.self.query.weight', architecture: 'BertModel' },
  t5: { landmark: 'encoder.block.0.layer.0.SelfAttention.q.weight', architecture: 'T5EncoderModel' },
};

/**
 * Reads an encoder and its weights. Names with a prefix (`bert.`, `question_model.`) and old ones (`LayerNorm.gamma`)
 * are accepted; heads, poolers, decoders and position ids are left alone.
 * @throws BenchError PATH_INVALID where the folder is not there, CHECKPOINT_INVALID where what it holds cannot be used;
 *   missing, misshapen and non-finite tensors are listed all at once
 */
export async function loadEncoder(folder: string, options: LoadOptions = {}): Promise<LoadedEncoder> {
  const names = await listFolder(folder);
  const encoder = makeEncoder(await readConfig(folder, names), options);
  const source = await TensorSource.open(folder, names);
  try {
    const prefix = findPrefix(source, encoder.shape.kind, options.prefix);
    const { weights, remarks } = await readWeights(source, encoder, prefix);
    return { encoder, weights, remarks };
  } finally {
    await source.close();
  }
}

/**
 * The encoder of a folder without its weights; whether they are all there is seen from the names of the files.
 * @throws BenchError as loadEncoder does, as far as it can be said without reading the weights
 */
export async function describeEncoder(folder: string, options: LoadOptions = {}): Promise<Encoder> {
  const names = await listFolder(folder);
  const encoder = makeEncoder(await readConfig(folder, names), options);
  const source = await TensorSource.open(folder, names);
  try {
    findPrefix(source, encoder.shape.kind, options.prefix);
  } finally {
    await source.close();
  }
  return encoder;
}

/**
 * The encoder that a config.json describes.
 * @throws BenchError CHECKPOINT_INVALID where its kind or a value is not supported
 */
export function makeEncoder(config: ModelConfig, options: T5Options = {}): Encoder {
  const kind = config.model_type;
  if (kind === 'bert') return bertEncoder(config);
  if (kind === 't5') return t5Encoder(config, options);
  const seen = kind === undefined ? 'names no model_type' : `has the model_type ${JSON.stringify(kind)}`;
  throw new BenchError(
    'CHECKPOINT_INVALID',
    `config.json ${seen}; supported: ${Object.keys(kinds).join(', ')}.`,
    {
      hint: 'Choose a checkpoint of one of these kinds with --model, such as bert-base-uncased or google-t5/t5-base.',
    },
  );
}

/**
 * Writes a checkpoint that transformers loads with BertModel or T5EncoderModel.from_pretrained.
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
  await writeJson(path.join(folder, 'config.json'), {
    ...encoder.config,
    architectures: [kinds[encoder.shape.kind].architecture],
    torch_dtype: 'float32',
  });
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const what =
      code === 'ENOENT' ? 'is not there' : code === 'ENOTDIR' ? 'is a file, not a folder' : `(${code})`;
    throw new BenchError('PATH_INVALID', `The checkpoint folder ${folder} ${what}.`, {
      hint: 'Give --model a folder that holds config.json, model.safetensors and tokenizer.json.',
      cause,
    });
  }
}

async function readConfig(folder: string, names: readonly string[]): Promise<ModelConfig> {
  const file = path.join(folder, 'config.json');
  if (!names.includes('config.json')) {
    throw new BenchError('CHECKPOINT_INVALID', `${folder} holds no config.json.`, {
      hint: `It holds: ${names.join(', ') || 'nothing'}. A checkpoint needs config.json, model.safetensors and a tokenizer.`,
    });
  }
  let config: unknown;
  try {
    config = parseJson(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new BenchError('CHECKPOINT_INVALID', `${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (config === null || typeof config !== 'object' || Array.isArray(config)) {
    throw new BenchError('CHECKPOINT_INVALID', `${file} does not hold a JSON object.`);
  }
  return config as ModelConfig;
}

/** What stands before the names of the encoder's tensors. */
function findPrefix(source: TensorSource, kind: Kind, wanted: string | undefined): string {
  const prefixes = (of: Kind) =>
    source.names
      .filter((name) => name.endsWith(kinds[of].landmark))
      .map((name) => name.slice(0, -kinds[of].landmark.length))
      .filter((prefix) => prefix === '' || prefix.endsWith('.'));
  const found = prefixes(kind);
  if (wanted !== undefined && found.includes(wanted)) return wanted;
  if (wanted === undefined && found.length === 1) return found[0]!;
  if (found.length > 0) {
    const list = found.map((prefix) => `'${prefix}'`).join(', ');
    const problem = wanted === undefined ? 'several encoders' : `no encoder '${wanted}'`;
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${source.folder} holds ${problem}; their names begin with ${list}.`,
      {
        hint: 'Save the one that is wanted as a checkpoint of its own.',
      },
    );
  }
  const other = (Object.keys(kinds) as Kind[]).find((candidate) => prefixes(candidate).length > 0);
  if (other !== undefined) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${source.folder} holds ${other} weights, while its config.json says model_type '${kind}'.`,
      { hint: `Put the config.json that belongs to these weights there; its model_type is '${other}'.` },
    );
  }
  // Nothing to go by: the list of missing tensors will say what was looked for.
  return '';
}

/** The names under which a parameter may be stored, the usual one first. */
function storedNames(name: string): string[] {
  if (name === 'shared.weight') return [name, 'encoder.embed_tokens.weight'];
  const old = name
    .replace(/LayerNorm\.weight$/, 'LayerNorm.gamma')
    .replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
  return old === name ? [name] : [name, old];
}

async function readWeights(
  source: TensorSource,
  encoder: Encoder,
  prefix: string,
): Promise<{ weights: Float32Array[]; remarks: string[] }> {
  const problems: string[] = [];
  const weights: Float32Array[] = [];
  let rounded = 0;
  for (const { name, shape } of encoder.parameters) {
    const [stored, ...others] = storedNames(name)
      .map((candidate) => prefix + candidate)
      .filter((candidate) => source.shapeOf(candidate) !== undefined);
    const found = stored === undefined ? undefined : source.shapeOf(stored);
    if (stored === undefined || found === undefined) {
      problems.push(`${prefix}${name} is missing; expected [${shape}]`);
    } else if (found.length !== shape.length || found.some((size, i) => size !== shape[i])) {
      problems.push(`${stored} is [${found}]; expected [${shape}]`);
    } else {
      const values = await source.read(stored);
      const at = values.findIndex((value) => !Number.isFinite(value));
      if (at >= 0) problems.push(`${stored} holds ${values[at]} at element ${at}; expected finite numbers`);
      for (const other of at >= 0 ? [] : others)
        if (!sameNumbers(values, await source.read(other)))
          problems.push(`${stored} and ${other} are the same tensor and differ`);
      if (source.typeOf(stored) === 'F64') rounded++;
      weights.push(values);
    }
  }
  if (problems.length === 0) {
    const what = `${rounded} of ${weights.length} tensors are rounded from float64 to float32`;
    return { weights, remarks: rounded === 0 ? [] : [what] };
  }
  const list = problems.map((problem) => `\n  - ${problem}`).join('');
  const of = `${problems.length} of ${encoder.parameters.length} tensors`;
  throw new BenchError(
    'CHECKPOINT_INVALID',
    `${source.folder} cannot be used as ${encoder.shape.kind}: ${of}:${list}`,
    {
      hint: 'The shapes expected come from config.json beside the weights: see that the two belong together.',
    },
  );
}

function sameNumbers(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
