/** The tensors of a checkpoint folder, whether they lie in one safetensors file or in several. */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { faultFinder } from '../json-schema.js';
import { modelJson } from '../text/model-json.js';
import type { NumberType } from './number-types.js';
import { SafetensorsFile } from './safetensors.js';

export const weightsFile = 'model.safetensors';
export const weightsIndexFile = 'model.safetensors.index.json';

const conversion =
  'python -c "import torch, safetensors.torch as s; ' +
  "w = torch.load('pytorch_model.bin', map_location='cpu', weights_only=True); " +
  "s.save_file({k: v.contiguous().clone() for k, v in w.items()}, 'model.safetensors', metadata={'format': 'pt'})\"";

export class TensorSource {
  readonly folder: string;
  readonly #files: readonly SafetensorsFile[];
  readonly #fileOf = new Map<string, SafetensorsFile>();

  private constructor(folder: string, files: readonly SafetensorsFile[]) {
    this.folder = folder;
    this.#files = files;
    for (const file of files) {
      for (const name of file.entries.keys()) {
        const other = this.#fileOf.get(name);
        if (other !== undefined) {
          throw new BenchError(
            'CHECKPOINT_INVALID',
            `${folder} holds the tensor '${name}' twice: in ${path.basename(other.path)} and in ${path.basename(file.path)}.`,
            { hint: 'Copy or download the files again.' },
          );
        }
        this.#fileOf.set(name, file);
      }
    }
  }

  /**
   * @param names what the folder holds
   * @throws BenchError CHECKPOINT_INVALID where there are no weights, or none in a format that can be read
   */
  static async open(folder: string, names: readonly string[]): Promise<TensorSource> {
    if (names.includes(weightsFile)) {
      return new TensorSource(folder, [await SafetensorsFile.open(path.join(folder, weightsFile))]);
    }
    if (names.includes(weightsIndexFile)) {
      const shards = await readShardNames(path.join(folder, weightsIndexFile));
      const missing = shards.filter((shard) => !names.includes(shard));
      if (missing.length > 0) {
        throw new BenchError(
          'CHECKPOINT_INVALID',
          `${folder} lacks ${missing.join(', ')}, named in ${weightsIndexFile}.`,
          { hint: 'Copy or download the missing files.' },
        );
      }
      const files: SafetensorsFile[] = [];
      try {
        for (const shard of shards) files.push(await SafetensorsFile.open(path.join(folder, shard)));
        return new TensorSource(folder, files);
      } catch (error) {
        for (const file of files) await file.close();
        throw error;
      }
    }
    const pickled = names.find((name) => /\.(bin|pt|pth|cp|ckpt)$/.test(name));
    if (pickled !== undefined) {
      throw new BenchError(
        'CHECKPOINT_INVALID',
        `${folder} holds its weights only as ${pickled}, a pickled PyTorch file, which is not read; ${weightsFile} is needed.`,
        { hint: `Convert it once, in that folder: ${conversion.replace('pytorch_model.bin', pickled)}` },
      );
    }
    throw new BenchError('CHECKPOINT_INVALID', `${folder} holds no ${weightsFile}.`, {
      hint: `It holds: ${names.join(', ') || 'nothing'}.`,
    });
  }

  get names(): string[] {
    return [...this.#fileOf.keys()];
  }

  /** The shape of a tensor, from the header alone; undefined where there is no such tensor. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.#fileOf.get(name)?.entries.get(name)?.shape;
  }

  /** The type of its numbers in the file. */
  typeOf(name: string): NumberType | undefined {
    return this.#fileOf.get(name)?.entries.get(name)?.dtype;
  }

  async read(name: string): Promise<Float32Array> {
    const file = this.#fileOf.get(name);
    if (file === undefined) throw new RangeError(`no tensor ${name}`);
    return file.read(name);
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close();
  }
}

/**
 * The files that a `model.safetensors.index.json` names, sorted.
 * @throws BenchError CHECKPOINT_INVALID where it is not such an index
 */
export async function readShardNames(file: string): Promise<string[]> {
  const index = await modelJson(file);
  const [fault] = indexFaults(index);
  const shards =
    fault === undefined ? [...new Set(Object.values((index as WeightsIndex).weight_map))].sort() : [];
  const wrong = shards.find((name) => path.basename(name) !== name || !name.endsWith('.safetensors'));
  if (fault !== undefined || wrong !== undefined) {
    const seen = fault ?? `it has the file name ${JSON.stringify(wrong)}`;
    throw new BenchError('CHECKPOINT_INVALID', `${file} is not an index of weight files: ${seen}.`, {
      hint: 'Copy or download the file again.',
    });
  }
  return shards;
}

interface WeightsIndex {
  weight_map: Readonly<Record<string, string>>;
}

const indexFaults = faultFinder(
  () => ({
    type: 'object',
    required: ['weight_map'],
    properties: {
      weight_map: {
        type: 'object',
        minProperties: 1,
        additionalProperties: { type: 'string', minLength: 1 },
      },
    },
  }),
  false,
);
