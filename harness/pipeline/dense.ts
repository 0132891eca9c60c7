/** A system of vectors, once there is a model: encode -> index -> search -> hits. */
import type { BenchConfig } from '../config/config.js';
import type { CurveFacts, WinnerFacts } from '../record.js';
import type { Engine } from '../tensor/engine.js';
import { builtIndex } from './built-index.js';
import { curveRemarks, curveStage, exactRun } from './curve-stage.js';
import { devWinnersStage, judgedDevQueries } from './dev-winners.js';
import { encodeStage } from './encode-stage.js';
import { indexBuilder, indexStage } from './index-stage.js';
import { openDense } from './open-dense.js';
import type { OpenModel } from './open-model.js';
import { engineOf } from './prepare.js';
import { queryStage } from './query-stage.js';
import { indexFacts, parameterCountOf } from './record-parts.js';
import { searchStage, timeOf } from './search-stage.js';
import { closeSearching, openSearching, searcherRemarks } from './searching.js';
import type { Answering, Asking, Studied } from './system.js';
import { conditionsHere } from './whole-index.js';
import { hasWinners, winnersOf } from './winners.js';

/** Answers with an engine that stays until what comes back is closed. */
export async function onEngine(
  config: BenchConfig,
  answer: (engine: Engine) => Promise<Answering>,
): Promise<Answering> {
  const engine = await engineOf(config);
  try {
    const answering = await answer(engine);
    return {
      ...answering,
      async close() {
        await answering.close();
        await engine.dispose();
      },
    };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

/** All but what only the system knows that has the model. */
type Dense = Omit<Answering, 'facts' | 'given' | 'remarks'> & {
  facts: Pick<Answering['facts'], 'config' | 'device' | 'index'>;
};

/**
 * @param model is opened again, by `reopen`, to be timed
 * @param engine is not disposed of
 */
export async function answerDense(
  { request, prepared, split, depth, identicalIds, log, progress }: Asking,
  model: OpenModel,
  reopen: () => Promise<OpenModel>,
  engine: Engine,
): Promise<Dense> {
  const { config, seed } = request;
  const { dataset } = prepared;
  const shards = await log.artifact('encode', () => encodeStage(prepared, model, engine, progress));
  const encoded = await log.artifact('queries', () =>
    queryStage(prepared, model, engine, { split }, progress),
  );
  const asked = { split, encoded, depth };
  const builder = await indexBuilder(config);
  const built =
    builder &&
    builtIndex(
      await log.artifact('index', () => indexStage(prepared, shards, builder, engine, seed, progress)),
      config,
      builder,
    );
  const exact = built && (await exactRun(prepared, model, engine, shards, asked, log, progress));
  const searching = await openSearching(prepared, model, engine, shards.folder, built);
  try {
    const { searcher, index } = searching;
    const run = await log.artifact('search', () =>
      searchStage(prepared, searching, shards.key, { ...asked, identicalIds }, progress),
    );
    const { architecture } = model;
    const facts = {
      config,
      device: {
        engine: engine.name,
        device: engine.device,
        searcher: searcher.name,
        threads: engine.threads,
        versions: { ...engine.versions, ...searcher.versions },
      },
      index: await indexFacts(searching),
    };
    const indexBytes = searcher.resident ? facts.index.sizeBytes.total : config.search.memoryMiB * 2 ** 20;
    return {
      run,
      index,
      facts,
      work: {
        run: { timed: timeOf(run.facts), wanted: await conditionsHere(engine.threads) },
        ...(built && {
          index: { timed: built.artifact.facts.execution, wanted: await conditionsHere(config.threads) },
        }),
      },
      openBytes: indexBytes + 4 * parameterCountOf(model.retriever),
      rereads: !searcher.resident,
      searchable: [shards.key, ...(built ? [built.artifact.key] : [])],
      async study(hits, { answerFlags }): Promise<Studied> {
        const dev =
          architecture && hasWinners(architecture) && (await dataset.queries('dev')).length > 0
            ? await log.artifact('dev winners', async () => {
                const judged = await judgedDevQueries(dataset);
                const { queries } = judged;
                const dev = await queryStage(prepared, model, engine, { split: 'dev', queries }, progress);
                return devWinnersStage(prepared, searching, shards.key, judged, dev, progress);
              })
            : undefined;
        const winners: WinnerFacts | undefined =
          architecture &&
          (await winnersOf({
            ...{ dataset, split, index, hits, architecture, identicalIds, answerFlags },
            dev: dev?.facts,
          }));
        const curve: CurveFacts | undefined =
          exact &&
          (await log.plain('recall', () =>
            curveStage(prepared, searching, built!, exact, { ...asked, seed }, progress),
          ));
        const remarks = [
          ...(curve ? curveRemarks(built!, curve, exact!) : []),
          ...searcherRemarks(searching),
        ];
        return { winners, curve, remarks };
      },
      open: () => openDense(prepared, reopen, shards.folder, built),
      close: () => closeSearching(searching),
    };
  } catch (error) {
    await closeSearching(searching);
    throw error;
  }
}
