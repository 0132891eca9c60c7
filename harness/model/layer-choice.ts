/** S, the layers a passage's vectors are taken from: chosen by list, by placement, or by the paper's default. */
import { nearestName } from '../errors.js';

type LayerOptions = { layers?: readonly number[] | string; vectors?: number };

const placements: Readonly<Record<string, (layers: number, vectors: number) => number[]>> = {
  last: (layers, vectors) => Array.from({ length: vectors }, (_, i) => layers - vectors + 1 + i),
  first: (layers, vectors) => Array.from({ length: vectors }, (_, i) => (i === vectors - 1 ? layers : i + 1)),
  uniform: (layers, vectors) =>
    Array.from({ length: vectors }, (_, i) => Math.round(((i + 1) * layers) / vectors)),
};

/**
 * Layers of the paper's 12-layer encoders in an encoder of another depth. Layer l of 12 becomes
 * max(1, round(l L / 12)), halves rounded up, so that 12 becomes L. Where two fall on the same layer, the set is
 * filled up with the highest layers not yet in it, as far as there are any: {10, 12} is {1, 2} of 2 layers.
 * @param ofTwelve layers in 1..12, without duplicates
 * @param layers L
 * @returns ascending, without duplicates, min(L, as many as given)
 */
export function scaleLayers(ofTwelve: readonly number[], layers: number): number[] {
  const chosen = new Set(ofTwelve.map((layer) => Math.max(1, Math.round((layer * layers) / 12))));
  for (let next = layers; next >= 1 && chosen.size < ofTwelve.length; next--) chosen.add(next);
  return [...chosen].sort((a, b) => a - b);
}

function listProblems(list: readonly number[], layers: number): string[] {
  const problems: string[] = [];
  const shown = `[${list.join(', ')}]`;
  const range = `the encoder has the layers 1 to ${layers}`;
  const wrong = list.filter((layer) => !Number.isInteger(layer) || layer < 1 || layer > layers);
  if (wrong.length > 0) problems.push(`arch.layers: ${shown} holds ${wrong.join(', ')}; ${range}`);
  const twice = [...new Set(list.filter((layer, i) => list.indexOf(layer) !== i))];
  if (twice.length > 0) problems.push(`arch.layers: ${shown} holds ${twice.join(', ')} more than once`);
  if (!list.includes(layers)) problems.push(`arch.layers: ${shown} lacks the last layer, ${layers}`);
  return problems;
}

/**
 * What is wrong with `arch.layers` and `arch.vectors` by themselves, for any family.
 * @param layers L
 * @returns a sentence for each fault, beginning with the option's path
 */
export function layerProblems(options: LayerOptions, layers: number): string[] {
  const { layers: choice, vectors } = options;
  const problems: string[] = [];
  if (typeof choice === 'string') {
    if (!Object.hasOwn(placements, choice)) {
      const near = nearestName(choice, Object.keys(placements));
      const suggestion = near === undefined ? '' : `; did you mean '${near}'?`;
      problems.push(
        `arch.layers: '${choice}' is neither a list of layers nor last, first or uniform${suggestion}`,
      );
    }
  } else if (choice !== undefined) problems.push(...listProblems(choice, layers));
  if (vectors !== undefined && !(Number.isInteger(vectors) && vectors >= 1)) {
    problems.push(`arch.vectors: ${vectors} is not a whole number of 1 or more`);
  }
  return problems;
}

/**
 * S, for a family whose vectors come from several layers. In this order:
 * a list is taken as it is; `last`, `first` and `uniform` place `arch.vectors` layers, of which the last is always L
 * (m = 4 of 12: {9,10,11,12}, {1,2,3,12}, {3,6,9,12}); `arch.vectors` alone means the default where that has as many
 * layers, else `last`, as in the paper's figure 3; without either the default, scaled to the encoder (`scaleLayers`).
 * @param layers L
 * @param defaultOfTwelve the default set of a 12-layer encoder
 * @returns S, ascending, or the faults, a sentence each
 */
export function chooseLayers(
  options: LayerOptions,
  layers: number,
  defaultOfTwelve: readonly number[],
): { layers: number[]; problems: string[] } {
  const problems = layerProblems(options, layers);
  const { layers: choice, vectors } = options;
  if (problems.length === 0 && vectors !== undefined) {
    if (vectors > layers) {
      problems.push(`arch.vectors: ${vectors} vectors need as many layers; the encoder has ${layers}`);
    }
    if (typeof choice === 'object' && choice.length !== vectors) {
      problems.push(
        `arch.vectors: ${vectors}, but arch.layers [${choice.join(', ')}] holds ${choice.length}`,
      );
    }
  }
  if (typeof choice === 'string' && Object.hasOwn(placements, choice) && vectors === undefined) {
    problems.push(`arch.layers: '${choice}' needs arch.vectors, the number of layers to take`);
  }
  if (problems.length > 0) return { layers: [], problems };
  if (typeof choice === 'object') return { layers: [...choice].sort((a, b) => a - b), problems };
  const defaults = scaleLayers(defaultOfTwelve, layers);
  const placement = choice ?? (vectors === undefined || vectors === defaults.length ? undefined : 'last');
  if (placement === undefined) return { layers: defaults, problems };
  return { layers: placements[placement]!(layers, vectors!), problems };
}
