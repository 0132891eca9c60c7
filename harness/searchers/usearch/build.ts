/** Building a graph of usearch from an index of shards. */
import { BenchError } from '../../errors.js';
import { buildInProcess } from '../../search/build-process.js';
import type { BuildRequest, BuiltFacts } from '../../search/searcher.js';
import { ownEfSearch } from './graph.js';

/** @throws BenchError CONFIG_INVALID with the reason, INTERRUPTED */
export async function buildIndex(request: BuildRequest): Promise<BuiltFacts> {
  const { said: _, ...facts } = await buildInProcess(request, {
    module: new URL('./build-process.js', import.meta.url),
    refused: (kind, message) =>
      new BenchError('CONFIG_INVALID', `usearch cannot build an index '${kind}': ${message}`),
  });
  return { ...facts, parameter: { name: 'efSearch', value: ownEfSearch }, warnings: [] };
}
