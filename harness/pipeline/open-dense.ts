/** Opens a model and its index, to answer queries as a user would ask them. */
import type { Query } from '../contracts.js';
import type { BuiltIndex } from './built-index.js';
import type { OpenSystem } from './cell.js';
import { type OpenModel, openEncoder } from './open-model.js';
import { engineOf, type Prepared } from './prepare.js';
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
    const queryEncoder = openEncoder(model, 'query', engine, prepared.config.encode);
    const tokenize = ({ text }: Query) => model.texts.query(text);
    const encode = async (tokens: Int32Array) => (await queryEncoder.encode([tokens])).vectors;
    return {
      parts: [
        { name: 'tokenize', run: tokenize },
        { name: 'encode', run: encode },
        { name: 'search', run: (vector: Float32Array) => searcher.search(vector, 1, depth) },
      ],
      async answerBatch(queries) {
        const { vectors } = await queryEncoder.encode(queries.map(tokenize));
        return searcher.search(vectors, queries.length, depth);
      },
      resident: searcher.resident,
      async close() {
        await closeSearching(searching);
        await queryEncoder.dispose();
        await engine.dispose();
      },
    };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
