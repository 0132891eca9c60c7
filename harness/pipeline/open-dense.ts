/** Opens what encodes queries and an index, to answer queries as a user would ask them. */
import type { BuiltIndex } from './built-index.js';
import type { OpenSystem } from './cell.js';
import { engineOf, type Session } from './prepare.js';
import { type QuerySource, vectorOf } from './query-encoder.js';
import { closeSearching, openSearching } from './searching.js';

export async function openDense(
  prepared: Session,
  source: QuerySource,
  indexFolder: string,
  built?: BuiltIndex,
): Promise<OpenSystem> {
  const { depth } = prepared.config.search;
  const engine = await engineOf(prepared.config);
  try {
    const searching = await openSearching(prepared, engine, indexFolder, built);
    const { searcher } = searching;
    const encoder = await source.open(engine);
    return {
      parts: [
        ...encoder.parts,
        {
          name: 'search',
          run: async (given: unknown) => searcher.search(await vectorOf(encoder, given), 1, depth),
        },
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
