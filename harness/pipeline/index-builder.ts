/** Who builds an index of another kind than Flat. */
import type { BenchConfig } from '../config/config.js';
import { parameterProblems } from '../config/index-parameters.js';
import { refuse } from '../config/problems.js';
import { isFlat } from './built-index.js';
import { builderOf, type NamedBuilder } from './choose-searcher.js';
import type { Means } from './system.js';

/** What can be known of `index.*` before anything is trained, where the length of vectors is. @throws BenchError CONFIG_INVALID */
export async function assertIndexOf(config: BenchConfig, { vectors }: Pick<Means, 'vectors'>): Promise<void> {
  if (vectors !== undefined) await indexBuilder(config, vectors.dimensions);
}

/**
 * Undefined where the index is Flat. What can be known of `index.*` before anything is trained.
 * @throws BenchError UNAVAILABLE where the searcher that would build it is missing, CONFIG_INVALID
 */
export async function indexBuilder(
  config: BenchConfig,
  dimensions?: number,
): Promise<NamedBuilder | undefined> {
  if (isFlat(config)) return undefined;
  const by = await builderOf(config.index.kind, config.searcher);
  refuse(parameterProblems(config.index, by.builder.parameters, by.name, config.search.depth, dimensions));
  return by;
}
