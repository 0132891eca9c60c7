/** The encoders that there are: every file of `harness/encoders`. They are loaded when this is imported. */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { builtRoot, type Kind, load, namesIn } from '../plugin-files.js';
import type { EncoderPlugin } from './encoder.js';
import type { ModelConfig } from './fields.js';

/** An encoder by its file name. */
export interface NamedEncoder extends EncoderPlugin {
  readonly name: string;
}

const kind: Kind = {
  folder: path.join('harness', 'encoders'),
  members: {
    ...{ summary: 'string', modelTypes: 'object', landmark: 'string', dropoutRates: 'object' },
    ...{ learningRate: 'number', takesVocabulary: 'boolean', examples: 'object', make: 'function' },
  },
};

/** @throws BenchError PLUGIN_INVALID for a file that is no encoder, or two that take one `model_type` */
export async function findEncoders(root: string = builtRoot): Promise<NamedEncoder[]> {
  const found: NamedEncoder[] = [];
  for (const name of namesIn(kind, root)) {
    const plugin = await load<EncoderPlugin>(kind, name, root);
    for (const type of Object.keys(plugin.modelTypes)) {
      const other = found.find(({ modelTypes }) => Object.hasOwn(modelTypes, type));
      if (other !== undefined)
        throw new BenchError(
          'PLUGIN_INVALID',
          `The encoders '${other.name}' and '${name}' both take the model_type '${type}'.`,
        );
    }
    found.push({ ...plugin, name });
  }
  return found;
}

export const encoders: readonly NamedEncoder[] = await findEncoders();

/** Every `model_type` that an encoder takes. */
export const modelTypes: readonly string[] = encoders.flatMap((each) => Object.keys(each.modelTypes));

/** @param name the `kind` of an encoder's shape */
export function encoderNamed(name: string): NamedEncoder {
  const found = encoders.find((each) => each.name === name);
  if (found === undefined) throw new RangeError(`no encoder ${name}`);
  return found;
}

/** @throws BenchError CHECKPOINT_INVALID where no encoder takes its `model_type` */
export function encoderFor({ model_type: type }: ModelConfig): NamedEncoder {
  const found =
    typeof type === 'string' ? encoders.find((each) => Object.hasOwn(each.modelTypes, type)) : undefined;
  if (found !== undefined) return found;
  const seen = type === undefined ? 'names no model_type' : `has the model_type ${JSON.stringify(type)}`;
  throw new BenchError('CHECKPOINT_INVALID', `config.json ${seen}; supported: ${modelTypes.join(', ')}.`, {
    hint: 'Choose a model of one of these kinds, such as bert-base-uncased or google-t5/t5-base.',
  });
}
