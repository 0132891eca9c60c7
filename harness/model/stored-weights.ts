/** The weights of an encoder in the tensors of a checkpoint: how they are found, by names old and new, and read. */
import { BenchError } from '../errors.js';
import { refuseBeyondMemory } from '../program/memory.js';
import { sizeOf } from '../tensor/engine.js';
import type { Encoder, EncoderPlugin } from './encoder.js';
import { encoderNamed, encoders } from './known-encoders.js';
import type { TensorSource } from './tensor-source.js';

/** What stands before the names of the encoder's tensors. */
export function findPrefix(
  source: TensorSource,
  { shape, config }: Encoder,
  wanted: string | undefined,
): string {
  const own = encoderNamed(shape.kind);
  const prefixes = ({ landmark }: EncoderPlugin) =>
    source.names
      .filter((name) => name.endsWith(landmark))
      .map((name) => name.slice(0, -landmark.length))
      .filter((prefix) => prefix === '' || prefix.endsWith('.'));
  const found = prefixes(own);
  if (wanted !== undefined && found.includes(wanted)) return wanted;
  if (wanted === undefined && found.length === 1) return found[0]!;
  if (found.length > 0) {
    const list = found.map((prefix) => `'${prefix}'`).join(', ');
    const problem = wanted === undefined ? 'several encoders' : `no encoder '${wanted}'`;
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${source.folder} holds ${problem}; their names begin with ${list}.`,
      { hint: 'Save the one that is wanted as a checkpoint of its own.' },
    );
  }
  const other = encoders.find((candidate) => prefixes(candidate).length > 0)?.name;
  if (other !== undefined) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${source.folder} holds ${other} weights, while its config.json says model_type '${config.model_type}'.`,
      { hint: `Put the config.json that belongs to these weights there; its model_type is '${other}'.` },
    );
  }
  // Nothing to go by: the list of missing tensors will say what was looked for.
  return '';
}

/** Where a parameter is stored, or what is wrong with how it is. */
type Stored =
  | {
      name: string;
      /** Other names that it is stored under as well. */
      others: string[];
    }
  | { problem: string };

/**
 * Looks for every parameter in the headers alone, so that what a config.json says is compared with what is there before memory
 * is taken for it.
 * @param storedNames under which a parameter may stand there; those of the kind of encoder where absent
 * @returns one for each parameter, in their order
 * @throws BenchError OUT_OF_MEMORY
 */
export function findTensors(
  source: TensorSource,
  { parameters, shape: { kind } }: Pick<Encoder, 'parameters' | 'shape'>,
  prefix: string,
  storedNames: NonNullable<EncoderPlugin['storedNames']> = encoderNamed(kind).storedNames ??
    ((name) => [name]),
): Stored[] {
  let elements = 0;
  const stored = parameters.map(({ name, shape }): Stored => {
    const [first, ...others] = storedNames(name)
      .map((candidate) => prefix + candidate)
      .filter((candidate) => source.shapeOf(candidate) !== undefined);
    if (first === undefined) return { problem: `${prefix}${name} is missing; expected [${shape}]` };
    const found = source.shapeOf(first)!;
    if (found.join() !== shape.join()) return { problem: `${first} is [${found}]; expected [${shape}]` };
    elements += sizeOf(shape);
    return { name: first, others };
  });
  refuseBeyondMemory(4 * elements, `The weights of ${source.folder}`, 'Choose a smaller model.');
  return stored;
}

/** @throws BenchError CHECKPOINT_INVALID with every tensor that is missing or misshapen */
export function refuseUnfound(
  source: TensorSource,
  encoder: Pick<Encoder, 'parameters' | 'shape'>,
  stored: readonly Stored[],
): void {
  refuseTensors(
    source,
    encoder,
    stored.flatMap((each) => ('problem' in each ? [each.problem] : [])),
  );
}

/** @throws BenchError CHECKPOINT_INVALID with every tensor that is missing, misshapen or not finite */
export async function readWeights(
  source: TensorSource,
  encoder: Pick<Encoder, 'parameters' | 'shape'>,
  stored: readonly Stored[],
): Promise<{ weights: Float32Array[]; remarks: string[] }> {
  const problems: string[] = [];
  const weights: Float32Array[] = [];
  let rounded = 0;
  for (const each of stored) {
    if ('problem' in each) {
      problems.push(each.problem);
      continue;
    }
    const { name, others } = each;
    const values = await source.read(name);
    const fault = notFinite(name, values);
    if (fault !== undefined) problems.push(fault);
    for (const other of fault === undefined ? others : [])
      if (!sameNumbers(values, await source.read(other)))
        problems.push(`${name} and ${other} are the same tensor and differ`);
    if (source.typeOf(name) === 'F64') rounded++;
    weights.push(values);
  }
  refuseTensors(source, encoder, problems);
  const what = `${rounded} of ${weights.length} tensors are rounded from float64 to float32`;
  return { weights, remarks: rounded === 0 ? [] : [what] };
}

/** Tensors that an error names; there can be thousands. */
const namedTensors = 50;

function refuseTensors(
  source: TensorSource,
  encoder: Pick<Encoder, 'parameters' | 'shape'>,
  problems: readonly string[],
): void {
  if (problems.length === 0) return;
  const list = problems.slice(0, namedTensors).map((problem) => `\n  - ${problem}`);
  if (problems.length > namedTensors) list.push(`\n  and ${problems.length - namedTensors} more`);
  const of = `${problems.length} of ${encoder.parameters.length} tensors`;
  throw new BenchError(
    'CHECKPOINT_INVALID',
    `${source.folder} cannot be used as ${encoder.shape.kind}: ${of}:${list.join('')}`,
    {
      hint: 'The shapes expected come from config.json beside the weights: see that the two belong together.',
    },
  );
}

function sameNumbers(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** What is wrong with a tensor; undefined where all its numbers are finite. */
export function notFinite(name: string, values: Float32Array): string | undefined {
  const at = values.findIndex((value) => !Number.isFinite(value));
  return at < 0 ? undefined : `${name} holds ${values[at]} at element ${at}; expected finite numbers`;
}

/** @throws BenchError CHECKPOINT_INVALID naming the tensor @returns the values */
export function finite(file: string, name: string, values: Float32Array): Float32Array {
  const fault = notFinite(name, values);
  if (fault === undefined) return values;
  throw new BenchError('CHECKPOINT_INVALID', `${file}: ${fault}.`, {
    hint: 'It was damaged, or written by a training that went wrong: fetch or train it again.',
  });
}
