/** What can be known of a run that trains before it begins: the model's shape, its searcher, its index, its engine. */
import type { BenchConfig } from '../config/config.js';
import { describeEncoder } from '../model/checkpoint.js';
import type { Encoder } from '../model/encoder.js';
import { encoderTokenizer } from '../model/encoder-tokenizer.js';
import { readRetrieverFacts } from '../model/retriever-facts.js';
import { encoderFolder } from '../model/retriever-files.js';
import { loadArchitecture } from '../plugins.js';
import { scratchDescribed } from '../stages/scratch-model.js';
import { sizeOf } from '../tensor/engine.js';
import { usualPrecision } from '../tensor/onnx/precision.js';
import { assertPrecision } from '../tensor/precision.js';
import { shapeOfTexts } from '../train/training-memory.js';
import { assertSearcher, assertSearcherOn } from './choose-searcher.js';
import { indexBuilder } from './index-builder.js';
import { localModel } from './named-models.js';
import { assertNegatives } from './negatives-in-files.js';
import { engineOf } from './prepare.js';
import type { RunRequest } from './run-request.js';
import { refuseLongCuts, storedOf } from './starting-model.js';
import type { Means } from './system.js';
import { assertTeacher } from './teacher.js';

/** Everything but what stands in a model that would have to be downloaded. @throws BenchError as the run would */
export async function requirements(request: RunRequest): Promise<Means> {
  const { architecture, config, negatives } = request;
  const loaded = await loadArchitecture(architecture);
  const encoder = await encoderOf(request);
  if (encoder !== undefined) refuseLongCuts(encoder.shape, config);
  const shape = encoder && {
    ...encoder.shape,
    maxTokens: Math.min(config.text.passageTokens, encoder.shape.maxTokens),
  };
  const stored = shape && storedOf(loaded, shape, config);
  if (negatives !== undefined) await assertNegatives(negatives);
  await assertTeacher(config.train);
  const means = await assertEncoding(config);
  await assertTraining(config);
  if (encoder === undefined || shape === undefined || stored === undefined) return means;
  const { lambda: _, ...vectors } = stored;
  const each = encoder.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const trained = { weights: config.model.tied ? each : 2 * each, shape: shapeOfTexts(encoder) };
  return { ...means, vectors, trained };
}

/** What a system of vectors needs here. @throws BenchError UNAVAILABLE with the command that adds it */
export async function assertMachine(config: BenchConfig): Promise<Pick<Means, 'engine' | 'builder'>> {
  await assertSearcher(config);
  const builder = (await indexBuilder(config))?.name;
  const engine = await engineHere(config);
  await assertSearcherOn(config, engine.device);
  return { engine, ...(builder !== undefined && { builder }) };
}

/** What a system needs here that encodes. @throws BenchError as `assertMachine`, and CONFIG_INVALID for the precision */
export async function assertEncoding(config: BenchConfig): ReturnType<typeof assertMachine> {
  const means = await assertMachine(config);
  await assertPrecision(means.engine!, config.encode.precision);
  return means;
}

/** What a system needs here that scores pairs of texts, and searches no vectors. @throws BenchError as `assertEncoding` */
export async function assertScoring(config: BenchConfig): Promise<Pick<Means, 'engine'>> {
  const engine = await engineHere(config);
  await assertPrecision(engine, config.encode.precision);
  return { engine };
}

/** What training needs here. @throws BenchError as `assertEncoding` */
export async function assertTraining(config: BenchConfig): Promise<void> {
  const { precision } = config.train;
  if (precision !== usualPrecision)
    await assertPrecision(await engineHere(config), precision, 'train.precision');
}

/** Undefined where the model would have to be downloaded first. */
async function encoderOf(request: RunRequest): Promise<Encoder | undefined> {
  const { config, init } = request;
  const { name, t5LayerNorm } = config.model;
  if (init === undefined && name === 'scratch') return scratchDescribed(config);
  const folder =
    init === undefined
      ? await localModel(name, request)
      : encoderFolder(init, await readRetrieverFacts(init));
  if (folder === undefined) return undefined;
  const encoder = await describeEncoder(folder, { t5LayerNorm });
  await encoderTokenizer(folder, encoder);
  return encoder;
}

const enginesHere = new Map<string, NonNullable<Means['engine']>>();

/** What a system computes on. @throws BenchError UNAVAILABLE with the command that adds it */
export async function engineHere(config: RunRequest['config']): Promise<NonNullable<Means['engine']>> {
  const key = `${config.engine} ${config.device} ${config.threads}`;
  const known = enginesHere.get(key);
  if (known !== undefined) return known;
  const engine = await engineOf(config);
  const { name, device, threads } = engine;
  await engine.dispose();
  const here = { name, device, threads };
  enginesHere.set(key, here);
  return here;
}
