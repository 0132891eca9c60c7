/** What a trained architecture takes: a little of its training, its encoding and its search is really done. */
import path from 'node:path';
import { closing } from '../../closing.js';
import { inOrder } from '../../stages/graph.js';
import { knownOf } from '../../stages/known.js';
import { trainingStages } from '../../stages/training.js';
import { Workbench } from '../../stages/workbench.js';
import { textEncoders } from '../checkpoint.js';
import { localModel } from '../named-models.js';
import { engineOf } from '../prepare.js';
import { StageLog } from '../stage-log.js';
import { denseRates } from './dense-rates.js';
import type { StageTime, Trial } from './stage-time.js';
import { denseStages, negativesTime, trainStages } from './stage-times.js';
import { negativesRates } from './term-rates.js';
import { trainRates } from './train-rates.js';

export async function trainedTimes({ request, part, store, folder, progress }: Trial): Promise<StageTime[]> {
  const { init } = request;
  const { name } = request.config.model;
  const isNamed = init === undefined && name !== 'scratch';
  const here = isNamed ? await localModel(name, { ...request, offline: true }) : name;
  const config = { ...request.config, model: { ...request.config.model, name: here! } };
  const prepared = { config, offline: true, store, dataset: part.dataset };
  return closing(await engineOf(config), async (engine) => {
    const bench = new Workbench(prepared, progress, new StageLog(store), engine);
    const known = await knownOf(bench);
    const trainings = await trainingStages({ ...request, config }, known);
    const { setup: read, checkpoint } = trainings.first ?? trainings;
    const setup = await read(bench);
    const train = await trainRates(part, setup, config, engine);
    progress.checkInterrupted();
    const { retriever, tokenizer, text, initial } = setup;
    const model = {
      ...{ retriever, weights: initial, texts: textEncoders(tokenizer, text) },
      maxTokens: { query: text.maxQueryTokens, passage: text.maxPassageTokens },
    };
    const dense = await denseRates(part, model, config, engine, path.join(folder, 'index'));
    progress.checkInterrupted();
    const findsNegatives = inOrder([checkpoint]).some(({ kind }) => kind === 'negatives');
    return [
      ...(findsNegatives && train !== undefined
        ? [negativesTime(await negativesRates(part, bench), part.whole)]
        : []),
      ...trainStages(train, dense, part.whole, trainings),
      ...denseStages(dense, part.whole, config),
    ];
  });
}
