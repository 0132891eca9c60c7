/** What scoring pairs takes here: a few queries are really scored with passages of the collection. */
import { closing } from '../../closing.js';
import { counted } from '../../counted.js';
import type { PassageHits } from '../../search/search.js';
import { joinedText } from '../joined-text.js';
import { idOf, localModel } from '../named-models.js';
import { PairScorer } from '../pair-scorer.js';
import { engineOf } from '../prepare.js';
import { openCross } from '../published-cross.js';
import { latencyTime } from './latency-time.js';
import type { StageTime, Trial } from './stage-time.js';
import { affordable, spell, timed } from './timed.js';

/** Pairs that are tried at most. */
const mostPairs = 256;

export async function crossTimes({ request, part }: Trial): Promise<StageTime[]> {
  const { config, architecture } = request;
  const { rerank, search, cross } = config;
  const folder = await localModel(idOf(request), { config, offline: true }, true);
  const model = await openCross(folder!, architecture, cross);
  const [query] = await part.dataset.queries('test');
  const { test: queries } = part.whole.queries;
  const pairsEach = Math.min(rerank.depth ?? search.depth, part.whole.passages);
  if (query === undefined) return [{ stage: 'rerank', seconds: 0, basis: 'there is no query' }];
  const texts = { resident: true, at: async (ordinal: number) => joinedText(part.passages[ordinal]!) };
  return closing(await engineOf(config), async (engine) =>
    closing(new PairScorer(model, texts, engine, config.encode), async (scorer) => {
      const asked = Math.min(mostPairs, part.passages.length, pairsEach);
      const count = Math.min(asked, Math.max(8, affordable(model.model, 1, model.maxTokens)));
      const hits: PassageHits = {
        depth: count,
        ordinals: Int32Array.from({ length: count }, (_, i) => i),
        scores: new Float32Array(count),
        winners: new Int32Array(count),
        counts: Int32Array.of(count),
      };
      const tokens = scorer.queryTokens(query);
      const cut = { reranked: count, depth: count };
      const { seconds, startSeconds } = await timed(() => scorer.rerank([tokens], hits, cut));
      const each = seconds / count;
      const pairs = queries * pairsEach;
      return [
        {
          stage: 'rerank',
          seconds: startSeconds + pairs * each,
          basis: `${counted(pairs, 'pairs')} of ${spell(each)}, measured now on ${counted(count, 'pairs')}`,
        },
        latencyTime(config, queries, pairsEach * each, pairsEach * each),
      ];
    }),
  );
}
