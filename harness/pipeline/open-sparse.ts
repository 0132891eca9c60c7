/** Opens a learned sparse model and its index, to answer queries as a user would ask them. */
import { closingOnFailure } from '../closing.js';
import type { BenchConfig } from '../config/config.js';
import type { Query } from '../contracts.js';
import { largestWeights, type TokenWeights } from '../index/token-weights.js';
import { openImpacts } from '../search/impacts.js';
import type { Opening, OpenSystem, WayToOpen } from './cell.js';
import { engineOf } from './prepare.js';
import { openQueryWeights, openSparseModel } from './sparse-model.js';

/** By which it is opened: JSON. */
interface WeightsFrom {
  readonly config: BenchConfig;
  /** Folder of the index. */
  readonly index: string;
  /** Folder of the model, and the name of the system. */
  readonly model: string;
  readonly name: string;
}

export const openingOfWeights = (system: string, from: WeightsFrom): Opening => ({
  ...{ system, from, folders: [from.index, from.model] },
});

export async function loadCode(from: object): Promise<void> {
  await (await engineOf((from as WeightsFrom).config)).dispose();
}

export async function open(from: object, { threads }: WayToOpen): Promise<OpenSystem> {
  const { config, index: folder, model: modelFolder, name } = from as WeightsFrom;
  const { depth, memoryMiB } = config.search;
  const engine = await engineOf({ ...config, threads: threads ?? config.threads });
  return closingOnFailure(engine, async () => {
    const model = await openSparseModel(modelFolder, name, config.sparse);
    const { index, searcher } = await openImpacts(folder, memoryMiB);
    const encoder = openQueryWeights(model, engine, config.encode);
    const tokenize = ({ text }: Query) => model.texts.query(text);
    const encode = async (tokens: readonly Int32Array[]) =>
      largestWeights(await encoder.encode(tokens), model.facts.kept.query);
    return {
      parts: [
        { name: 'tokenize', run: tokenize },
        { name: 'encode', run: (tokens: Int32Array) => encode([tokens]) },
        { name: 'search', run: (weights: TokenWeights) => searcher.search(weights, depth) },
      ],
      answerBatch: async (queries) => searcher.search(await encode(queries.map(tokenize)), depth),
      resident: searcher.resident,
      async close() {
        await index.close();
        await encoder.close();
        await engine.dispose();
      },
    };
  });
}
