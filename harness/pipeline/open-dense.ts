/** Opens a model and its index, to answer queries as a user would ask them. */
import type { BuiltIndex } from './built-index.js';
import type { OpenSystem } from './cell.js';
import type { OpenModel } from './open-model.js';
import { engineOf, type Prepared } from './prepare.js';
import { modelQueries } from './query-encoder.js';
import { closeSearching, openSearching } from './searching.js';

export async function openDense(
  prepared: Prepared,
  openModel: () => Promise<OpenModel>,
  indexFolder: string,
  built?: BuiltIndex,
): Promise<OpenSystem> {
  const { depth } = prepared.config.search;
  const engine = await engineOf(prepared.config);
  try {
    const model = await openModel();
    const searching = await openSearching(prepared, model, engine, indexFolder, built);
    const { searcher } = searching;
    const encoder = modelQueries(model, engine, prepared.config.encode);
    return {
      parts: [
        ...encoder.parts,
        { name: 'search', run: (vector: Float32Array) => searcher.search(vector, 1, depth) },
      ],
      async answerBatch(queries) {
        return searcher.search(await encoder.encode(queries), queries.length, depth);
      },
      resident: searcher.resident,
      async close() {
        await closeSearching(searching);
        await encoder.dispose();
        await engine.dispose();
      },
    };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
