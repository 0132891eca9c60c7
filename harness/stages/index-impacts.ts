/** The index of impacts: what the weights of a learned sparse model are searched in. */
import { closing } from '../closing.js';
import type { ImpactFacts } from '../index/impact-index.js';
import { writeImpactIndex } from '../index/impact-writer.js';
import { openIndex } from '../index/vector-index.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';

/** @param shards of token weights @param tokens V, known when it is made @param most weights of a passage; all where undefined */
export function indexImpacts(
  shards: Stage,
  { system, most, tokens }: { system: string; most: number | undefined; tokens: number | undefined },
  { dataset, code }: Known,
): Stage<ImpactFacts> {
  return {
    name: 'index',
    kind: 'indexes',
    version: 'impacts 1',
    needs: { shards },
    inputs: () => ({ ...code('sparse index', {}), most: most ?? null }),
    about: { dataset: dataset.name, system },
    async make(folder, at) {
      const { progress } = at;
      if (tokens === undefined) throw new TypeError(`${system} is not looked at yet`);
      return closing(await openIndex(await at.folderOf(shards)), async (weights) => {
        const stage = progress.stage('index', weights.passages, 'passages');
        const facts = await writeImpactIndex({
          ...{ weights, tokens, folder, most },
          onProgress(passages) {
            stage.update(passages);
            progress.checkInterrupted();
          },
        });
        stage.end();
        return facts;
      });
    },
  };
}
