/** What a run needs before its first stage: the dataset, the model to start from, the architecture, the engine. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import type { ArchitectureOptions, DataFile, Dataset, EncoderShape, Passage } from '../contracts.js';
import { BenchError } from '../errors.js';
import { parseMeasures } from '../metrics/measures.js';
import { loadEncoder, makeEncoder, saveEncoder } from '../model/checkpoint.js';
import { resolveModel } from '../model/hub.js';
import { type Architecture, Retriever } from '../model/retriever.js';
import { scratchEncoder } from '../model/scratch.js';
import type { RunRequest } from '../pipeline.js';
import { type LoadedArchitecture, loadArchitecture, loadDataset } from '../plugins.js';
import type { Progress } from '../progress.js';
import { fetchFile } from '../store/download.js';
import { describeFile } from '../store/hash.js';
import { Store } from '../store/store.js';
import { checkVocabulary, loadTokenizer, makeTokenizer, type Tokenizer } from '../text/tokenizer.js';
import { buildVocabulary } from '../text/vocabulary.js';

/** A model to start from: a folder in Hugging Face's layout. */
export interface StartingModel {
  name: string;
  folder: string;
  revision: string | null;
  files: DataFile[];
}

export interface Prepared {
  request: RunRequest;
  store: Store;
  dataset: Dataset;
  model: StartingModel;
  tokenizer: Tokenizer;
  retriever: Retriever;
  /** Weights of the checkpoint, one per parameter of the encoder. */
  checkpoint: Float32Array[];
  /** The peak of the schedule, by the model's kind where the configuration leaves it open. */
  learningRate: number;
  maxQueryTokens: number;
  maxPassageTokens: number;
}

/** What tells one state of a dataset from another. */
export const datasetIdentity = ({ name, version, files }: Dataset) => ({
  name,
  version,
  files: files.map(({ name: file, sha256 }) => ({ name: file, sha256 })),
});

export async function openDataset(request: RunRequest, store: Store, progress: Progress): Promise<Dataset> {
  const { plugin, variant } = await loadDataset(request.dataset);
  return plugin.open({
    ...(variant !== undefined && { variant }),
    ...(request.data !== undefined && { folder: request.data }),
    fetch: async (download) => {
      const stage = progress.stage(`download ${download.name}`, download.sizeBytes, 'bytes');
      const onProgress = (done: number) => {
        stage.update(done);
        progress.checkInterrupted();
      };
      const file = await fetchFile(download, store.downloads, { offline: request.offline, onProgress });
      stage.end();
      return file;
    },
    async remember<T>(what: string, files: readonly string[], find: () => Promise<T>): Promise<T> {
      const described = await Promise.all(
        files.map(async (file) => {
          const { size, mtimeMs } = await stat(file);
          return { file: path.resolve(file), sizeBytes: size, mtimeMs };
        }),
      );
      const found = await store.artifact('findings', { what, files: described }, async () => ({ found: await find() }));
      return found.facts.found;
    },
  });
}

export async function prepare(request: RunRequest, progress: Progress): Promise<Prepared> {
  const { config } = request;
  // A slip in a measure's name is better known now than after training.
  parseMeasures(config.measures);
  const store = new Store(config.cache);
  const dataset = await openDataset(request, store, progress);
  if (dataset.passageCount === 0) {
    throw new BenchError('DATA_INVALID', `${dataset.name} has no passages.`, {
      hint: 'There is nothing to search.',
    });
  }
  const model = await startingModel(request, dataset, store, progress);
  const loaded = await loadEncoder(model.folder, { t5LayerNorm: config.model.t5LayerNorm });
  const encoder = makeEncoder(withDropout(loaded.encoder.config, config.train.dropout), {
    t5LayerNorm: config.model.t5LayerNorm,
  });
  const tokenizer = await loadTokenizer(model.folder);
  checkVocabulary(tokenizer, encoder);
  const shape = encoder.shape;
  const maxPassageTokens = Math.min(config.text.passageTokens, shape.maxTokens);
  const architecture = resolveArchitecture(
    await loadArchitecture(request.architecture),
    { ...shape, maxTokens: maxPassageTokens },
    config,
  );
  return {
    request,
    store,
    dataset,
    model,
    tokenizer,
    retriever: new Retriever(encoder, config.model.tied, architecture),
    checkpoint: loaded.weights,
    learningRate: config.train.learningRate ?? usualLearningRate[shape.kind],
    maxQueryTokens: Math.min(config.text.queryTokens, shape.maxTokens),
    maxPassageTokens,
  };
}

/** The paper's, by kind of encoder. */
const usualLearningRate: Record<EncoderShape['kind'], number> = { bert: 2e-5, t5: 5e-4 };

/** The dropout of training is the configuration's, whatever the checkpoint was trained with. */
function withDropout(config: Readonly<Record<string, unknown>>, rate: number): Record<string, unknown> {
  return config.model_type === 't5'
    ? { ...config, dropout_rate: rate }
    : { ...config, hidden_dropout_prob: rate, attention_probs_dropout_prob: rate };
}

function resolveArchitecture(
  loaded: LoadedArchitecture,
  shape: EncoderShape,
  config: BenchConfig,
): Architecture {
  const { layers, vectors, lambda, maskShort } = config.arch;
  if (Array.isArray(lambda)) {
    throw new BenchError(
      'CONFIG_INVALID',
      `arch.lambda is a list, ${JSON.stringify(lambda)}: it is to be one number.`,
      {
        hint: 'Run once for each value: --set arch.lambda=0.1.',
      },
    );
  }
  const options: ArchitectureOptions = {
    maskShort,
    ...(layers !== null && { layers }),
    ...(vectors !== null && { vectors }),
    ...(lambda !== null && { lambda }),
  };
  const resolved = loaded.family.resolve(options, shape, loaded.pooling?.shortName);
  return { ...loaded, resolved };
}

async function startingModel(
  { config, seed, offline }: RunRequest,
  dataset: Dataset,
  store: Store,
  progress: Progress,
): Promise<StartingModel> {
  const { name } = config.model;
  if (name !== 'scratch') {
    const onProgress = (file: string, done: number, total: number) => {
      progress.note(`${file}: ${done} of ${total} bytes`);
      progress.checkInterrupted();
    };
    const model = await resolveModel(name, {
      cacheFolder: path.join(store.root, 'hub'),
      offline,
      onProgress,
    });
    return {
      name,
      folder: model.folder,
      revision: model.revision ?? null,
      files: await filesOf(model.folder),
    };
  }
  const sizes = config.model.scratch;
  const inputs = { made: 'scratch 1', dataset: datasetIdentity(dataset), sizes, seed };
  const { folder } = await store.artifact('models', inputs, async (target) => {
    const vocabulary = await buildVocabulary(textsOf(dataset), { size: sizes.vocabularySize });
    const tokenizer = await makeTokenizer(vocabulary);
    const vocabularySize = tokenizer.vocabularySize;
    const made = scratchEncoder({ ...sizes, vocabularySize, maxTokens: scratchMaxTokens, dropout: 0 }, seed);
    await saveEncoder(target, made.encoder, made.weights, tokenizer.files);
    return { vocabularySize };
  });
  return { name, folder, revision: null, files: await filesOf(folder) };
}

/** As many positions as BERT has. */
const scratchMaxTokens = 512;

async function* textsOf(dataset: Dataset): AsyncIterable<string> {
  for await (const { title, text } of dataset.passages()) {
    yield title;
    yield text;
  }
}

const modelFiles = /^(config\.json|model.*\.safetensors(\.index\.json)?|tokenizer\.json|vocab\.txt)$/;

async function filesOf(folder: string): Promise<DataFile[]> {
  const names = (await readdir(folder)).filter((name) => modelFiles.test(name)).sort();
  return Promise.all(names.map((name) => describeFile(path.join(folder, name))));
}

/** How texts of a run become token ids. */
export function tokenizers({ tokenizer, request, maxQueryTokens, maxPassageTokens }: Prepared) {
  const { pairTruncation } = request.config.text;
  return {
    query: (text: string): Int32Array => tokenizer.encodeQuery(text, maxQueryTokens),
    /** Training always cuts pairs; the configuration decides how encoding does. */
    trainingPassage: ({ title, text }: Passage): Int32Array =>
      tokenizer.encodePassage(title, text, maxPassageTokens),
    passage: ({ title, text }: Passage): Int32Array =>
      tokenizer.encodePassage(title, text, maxPassageTokens, pairTruncation),
  };
}
