/** What the families share when they check `arch.*`: faults are gathered and reported together. */

import type { ArchitectureOptions, EncoderShape } from '../contracts.js';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { layerProblems } from './layer-choice.js';

/** Poolings that add nothing to the loss, so that lambda plays no part. */
const withoutRegularizer: readonly (string | undefined)[] = [undefined, 'avg', 'mix'];

/** What is wrong with the options whose meaning does not depend on the family. */
function sharedProblems(options: ArchitectureOptions): string[] {
  const problems: string[] = [];
  const { lambda } = options;
  if (lambda !== undefined && !(Number.isFinite(lambda) && lambda >= 0)) {
    problems.push(`arch.lambda: ${lambda} is not a number of 0 or more`);
  }
  for (const name of ['maskShort', 'meanFirst'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'boolean')
      problems.push(`arch.${name}: ${JSON.stringify(value)} is neither true nor false`);
  }
  return problems;
}

/**
 * Ends a family's check. Layers, lambda and masks that play no part in a family must still make sense, but do not stop it: one
 * configuration serves several architectures, and the run record shows what each made of it.
 * @param problems what the family itself found
 * @throws BenchError CONFIG_INVALID with every fault, where there is one
 */
export function refuse(options: ArchitectureOptions, problems: readonly string[]): void {
  const all = [...problems, ...sharedProblems(options)];
  if (all.length === 0) return;
  const count =
    all.length === 1 ? 'An architecture option is wrong' : `${all.length} architecture options are wrong`;
  throw new BenchError('CONFIG_INVALID', `${count}:\n${all.map((problem) => `  ${problem}`).join('\n')}`, {
    hint: 'Set them under "arch" in the configuration file, or with --set arch.NAME=VALUE.',
  });
}

/**
 * For a family whose number of vectors is no choice: another number asks for another system, and is not passed over.
 * @param own how many it has
 * @param what the family is, for the sentence
 */
export function vectorsProblem(
  { vectors }: ArchitectureOptions,
  own: number | 'varies',
  what: string,
): string[] {
  if (vectors === undefined || vectors === own || !Number.isInteger(vectors) || vectors < 1) return [];
  const has = own === 'varies' ? 'one vector for each token' : counted(own, 'vectors');
  return [`arch.vectors: ${vectors}, but ${what} has ${has} per passage; me-bert and mlr have a choice`];
}

/** The check of a family that uses the last layer alone: `arch.layers` plays no part, its values must be layers. */
export function refuseLastLayer(
  options: ArchitectureOptions,
  encoder: EncoderShape,
  problems: readonly string[] = [],
): void {
  refuse(options, [...layerProblems(options, encoder.layers), ...problems]);
}

/**
 * lambda of equation (6): the option, or the family's default; 0 where the pooling adds nothing to the loss.
 * @param pooling short name, absent for multi-vector search
 */
export function chooseLambda(
  options: ArchitectureOptions,
  pooling: string | undefined,
  familyDefault: number,
): number {
  return withoutRegularizer.includes(pooling) ? 0 : (options.lambda ?? familyDefault);
}

/** Whether a family of token vectors begins with the mean: so where no first token stands for the text, as in T5. */
export function chooseMeanFirst(
  { meanFirst = true }: ArchitectureOptions,
  { summary }: EncoderShape,
): boolean {
  return summary === 'mean' && meanFirst;
}
