/** The encoder of BERT (Devlin et al. 2019), which ELECTRA has too. */
import * as tf from '../tensor/operations.js';
import { bertFields, bertLayer, bertTables } from './bert-fields.js';
import type { Encoder } from './encoder.js';
import type { ConfigFields, ModelConfig } from './fields.js';
import { postNormEncoder } from './post-norm.js';
import { segmentVectors } from './segments.js';

/**
 * @param config of a BERT, or of one that has its fields
 * @param kind the name of the encoder's file @param title its name in errors
 * @param more what else its fields have to say
 * @throws BenchError CHECKPOINT_INVALID that lists every value that cannot be used
 */
export function encoderOfBert(
  config: ModelConfig,
  { kind, title }: { kind: string; title: string },
  more: (fields: ConfigFields, dimensions: number) => void = () => undefined,
): Encoder {
  const { fields, sizes } = bertFields(config, { paddingId: 0 });
  const types = fields.count('type_vocab_size', 2);
  const { dimensions } = sizes;
  more(fields, dimensions);
  fields.check(title);
  return postNormEncoder({
    ...{ ...sizes, kind, config, maxTokens: sizes.positions, dropsAttended: true },
    tables: [
      { name: bertTables.positions, rows: sizes.positions },
      { name: bertTables.types, rows: types },
    ],
    names: bertLayer,
    segments: types,
    places(weight, input) {
      const tokens = input.ids.shape[1];
      const places = tf.slice(weight(`${bertTables.positions}.weight`), [0, 0], [tokens, dimensions]); // [T, D]
      return tf.add(places, segmentVectors(weight, input, dimensions));
    },
  });
}
