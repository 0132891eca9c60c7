/** Indexes of other kinds than Flat are built from the shards once. */
import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import { readIndexFacts } from '../index/vector-index.js';
import type { IndexedFacts } from '../pipeline/built-index.js';
import { conditionsHere } from '../pipeline/whole-index.js';
import type { BuiltNeed, Need } from './graph.js';
import type { Known } from './known.js';

/** @param system that the shards are of */
export function indexVectors(
  shards: Need,
  { index: { kind, trainingVectors } }: Pick<BenchConfig, 'index'>,
  seed: number,
  system: string,
  known: Known & { builder: NonNullable<Known['builder']> },
): BuiltNeed {
  const { dataset, code, computing, builder } = known;
  const { name, versions, by } = builder;
  return {
    name: 'index',
    kind: 'indexes',
    version: 'index 2',
    needs: { shards },
    inputs: () => ({
      ...code('index', { searcher: name }),
      ...{ searcher: { name, versions }, kind, computeClass: computing.computeClass },
      ...(by?.builder.trains !== false && { trainingVectors, seed }),
    }),
    about: { dataset: dataset.name, system },
    by,
    async make(made, at): Promise<IndexedFacts> {
      const { threads } = at.config;
      const folder = await at.folderOf(shards);
      const { vectors } = await readIndexFacts(folder);
      const started = performance.now();
      const facts = await by!.builder.build({
        ...{ folder, kind, trainingVectors, seed, vectors },
        target: path.join(made, by!.builder.file),
        ...(threads !== null && { threads }),
        progress: at.progress,
      });
      const seconds = (performance.now() - started) / 1000;
      return { ...facts, execution: { seconds, conditions: await conditionsHere(threads) } };
    },
  };
}
