/** A system of vectors, wherever these come from: encode -> index -> search -> hits. */
import { closingOnFailure } from '../closing.js';
import type { CurveFacts, IndexFacts, WinnerFacts } from '../record.js';
import { timeOf } from '../stages/search.js';
import { ofVectors, type VectorStages } from '../stages/systems.js';
import { Workbench } from '../stages/workbench.js';
import type { Artifact } from '../store/store.js';
import { curveRemarks, curveStage } from './curve-stage.js';
import { denseOpening } from './open-dense.js';
import { engineOf } from './prepare.js';
import type { QuerySource } from './query-encoder.js';
import { deviceFacts, indexFacts } from './record-parts.js';
import { searcherRemarks } from './searching.js';
import type { AnsweredSystem, AnswerRequest, Study } from './system.js';
import { conditionsHere } from './whole-index.js';
import { winnersOf } from './winners.js';

/** Answers with an engine and a workbench that stay until what comes back is closed. */
export async function onEngine<T extends object>(
  { prepared, progress, log }: Pick<AnswerRequest, 'prepared' | 'progress' | 'log'>,
  answer: (bench: Workbench) => Promise<T>,
): Promise<T & Pick<AnsweredSystem, 'close'>> {
  const engine = await engineOf(prepared.config, progress);
  const bench = new Workbench(prepared, progress, log, engine);
  const close = async () => {
    await bench.close();
    await engine.dispose();
  };
  return closingOnFailure({ close }, async () => ({ ...(await answer(bench)), close }));
}

/** All but what only the system knows. */
type Dense = Omit<AnsweredSystem, 'facts' | 'given' | 'remarks' | 'close'> & {
  facts: Pick<AnsweredSystem['facts'], 'config' | 'device'> & { index: IndexFacts };
};

/** What becomes of vectors, whether they are searched or score. */
export type UsedVectors = Pick<Dense, 'facts' | 'searchable'>;

/** The shards of every passage, and a line of the record for each part that is encoded by itself. */
export async function encodedShards(
  bench: Workbench,
  { encoding, parts }: Pick<VectorStages, 'encoding' | 'parts'>,
): Promise<Artifact<unknown>> {
  for (const part of parts) await bench.logged(part, part.name);
  return bench.logged(encoding, encoding.name);
}

export async function answerDense(
  { request, split, identicalIds, log }: AnswerRequest,
  bench: Workbench,
  stages: VectorStages,
  source: QuerySource,
): Promise<Dense> {
  const { config, seed, component } = request;
  const { dataset, engine } = bench;
  const shards = await encodedShards(bench, stages);
  await bench.logged(stages.queries, 'queries');
  if (stages.index) await bench.logged(stages.index, 'index');
  // What is compared with the index is looked at by `study` alone.
  const exact = stages.exact && !component ? await bench.logged(stages.exact, 'exact search') : undefined;
  const run = await bench.logged(stages.run, 'search');
  // Behind the search, which may open the index part by part.
  const searching = await bench.searching(stages.shards, stages.index);
  const { searcher, index, built } = searching;
  const { numbers, architecture } = await source.held();
  const facts = { config, device: deviceFacts(engine, searcher), index: await indexFacts(searching) };
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
    openBytes: indexBytes + 4 * numbers,
    rereads: !searcher.resident,
    stages: ofVectors(stages),
    searchable: [stages.shards, ...(stages.index ? [stages.index] : [])],
    async study(hits, { answerFlags }): Promise<Study> {
      const dev =
        stages.devWinners && (await dataset.queries('dev')).length > 0
          ? await bench.logged(stages.devWinners, 'dev winners')
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
          curveStage(bench, searching, stages, exact.facts, { split, seed, identicalIds }),
        ));
      const remarks = [
        ...(curve ? curveRemarks(built!, curve, exact!.facts) : []),
        ...searcherRemarks(searching),
      ];
      return { winners, curve, remarks };
    },
    opening: denseOpening(request.architecture, {
      ...{ config, shards: shards.folder, queries: source.from },
      ...(built && { built: built.artifact }),
    }),
  };
}
