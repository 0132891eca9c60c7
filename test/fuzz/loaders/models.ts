/** Checkpoints: their configuration, their weights, what training leaves beside them. */
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describeEncoder, loadEncoder } from '../../../harness/model/checkpoint.js';
import { encoders } from '../../../harness/model/known-encoders.js';
import type { Retriever } from '../../../harness/model/retriever.js';
import { readRetrieverFacts } from '../../../harness/model/retriever-facts.js';
import {
  loadRetrieverWeights,
  retrieverFiles,
  saveRetriever,
} from '../../../harness/model/retriever-files.js';
import { SafetensorsFile, writeSafetensors } from '../../../harness/model/safetensors.js';
import { TensorSource } from '../../../harness/model/tensor-source.js';
import { openCross } from '../../../harness/pipeline/published-cross.js';
import { openPublished } from '../../../harness/pipeline/published-model.js';
import type { Stream } from '../../../harness/random.js';
import { stream } from '../../../harness/random.js';
import { StepLog } from '../../../harness/train/step-log.js';
import {
  readBest,
  resumeState,
  saveBest,
  saveState,
  type TrainedArrays,
} from '../../../harness/train/training-state.js';
import { crossFolder, crossKinds } from '../../cross-folder.js';
import { madeRetriever } from '../../made-training.js';
import { kindFolder, sentenceFolder, withoutSetting } from '../../sentence-folder.js';
import { type Loader, UnfitResult } from '../loader.js';
import { checkNumbers } from '../results-checked.js';
import { filesIn, fixtureFile, fixtureFiles, texts, written } from '../valid-files.js';

const checkpoint = (name: string) =>
  fixtureFiles(`model/${name}`, (file) => file === 'config.json' || file === 'model.safetensors');
/** A form of each kind of encoder. */
const checkpoints = () => encoders.map(({ examples }) => checkpoint(Object.keys(examples).at(-1)!));

/** Their tokenizers are of a few words, so that edits find what counts. */
const kindsToLoad = ['mpnet', 't5', 'distilbert'];
const kindFiles = (name: string) => filesOf(kindFolder(name));

/** What a folder holds, which is not needed behind that. */
const filesOf = (folder: string) => {
  const files = filesIn(folder);
  rmSync(folder, { recursive: true });
  return files;
};

const small = (random: Stream, count: number) => Float32Array.from({ length: count }, () => random.normal());

/** Two files of weights and the index that says which holds what. */
const inShards = () =>
  written(async (folder) => {
    const random = stream(1, 'fuzz shards');
    const tensors = ['a', 'b'].map((name) => ({ name, shape: [2, 3], values: small(random, 6) }));
    const names = tensors.map((_, i) => `model-0000${i + 1}-of-00002.safetensors`);
    for (const [i, tensor] of tensors.entries())
      await writeSafetensors(path.join(folder, names[i]!), [tensor]);
    const { writeJson } = await import('../../../harness/store/atomic.js');
    await writeJson(path.join(folder, 'model.safetensors.index.json'), {
      metadata: { total_size: 48 },
      weight_map: { a: names[0], b: names[1] },
    });
  });

let made: Promise<{ retriever: Retriever; initial: Float32Array[] }> | undefined;
const retrieverOf = () => {
  made ??= madeRetriever('mlr-mix');
  return made;
};

/** Variables that hold what is written into them, and nothing else. */
function arraysOf(initial: readonly Float32Array[]): TrainedArrays {
  const set = () => {
    const variables = initial.map((values) => {
      let held = values;
      return {
        read: async () => held,
        write(other: Float32Array) {
          if (other.length !== values.length)
            throw new RangeError(`${other.length} values for ${values.length}`);
          held = other;
        },
      };
    });
    return { variables } as unknown as TrainedArrays['parameters'];
  };
  return { parameters: set(), moments: { first: set(), second: set() } as TrainedArrays['moments'] };
}

const trainingState = {
  step: 12,
  epochs: [],
  bestEpoch: 0,
  bestScore: 0.5,
  running: { steps: 2, loss: 1, contrastive: 1, regularizer: 0, taught: 0, milliseconds: 3 },
};

const steps = [1, 2, 3]
  .map((step) =>
    JSON.stringify({ epoch: 0, step, learningRate: 0.1, loss: 0.5, milliseconds: 2, javascriptShare: 0.5 }),
  )
  .join('\n');

const loaders: readonly Loader[] = [
  {
    name: 'safetensors',
    inputs: () => [{ input: fixtureFile('model/number-types.safetensors') }],
    codes: ['CHECKPOINT_INVALID'],
    async load(folder) {
      const file = await SafetensorsFile.open(path.join(folder, 'input'));
      try {
        for (const [name, { shape, dtype }] of file.entries) {
          if (!/^(F|BF)/.test(dtype)) continue;
          const values = await file.read(name);
          if (values.length !== shape.reduce((product, size) => product * size, 1))
            throw new UnfitResult(`${name} of ${shape} has ${values.length} numbers`);
        }
      } finally {
        await file.close();
      }
    },
  },
  {
    name: 'weights-index',
    inputs: async () => [await inShards()],
    codes: ['CHECKPOINT_INVALID'],
    async load(folder) {
      const source = await TensorSource.open(folder, readdirSync(folder));
      await source.close();
    },
  },
  {
    name: 'model-config',
    inputs: checkpoints,
    codes: ['CHECKPOINT_INVALID', 'PATH_INVALID'],
    async load(folder) {
      await describeEncoder(folder);
    },
  },
  {
    name: 'checkpoint',
    inputs: checkpoints,
    codes: ['CHECKPOINT_INVALID', 'PATH_INVALID'],
    async load(folder) {
      const { weights } = await loadEncoder(folder);
      for (const values of weights) checkNumbers(values);
    },
  },
  {
    name: 'published-model',
    inputs: () =>
      Promise.all(
        ['as version 6 writes it', 'two dense layers', 'prompts left out of the mean'].map(
          async (variant) => {
            const folder = await sentenceFolder(variant);
            const files = filesIn(folder);
            rmSync(folder, { recursive: true });
            return files;
          },
        ),
      ).then((variants) => [...variants, ...kindsToLoad.map(kindFiles)]),
    codes: ['CHECKPOINT_INVALID', 'CONFIG_INVALID', 'PATH_INVALID'],
    async load(folder) {
      const { weights, texts, maxTokens } = await openPublished(folder, 'tiny', withoutSetting);
      for (const values of weights) checkNumbers(values);
      for (const text of ['', 'the old castle'])
        if (texts.query(text).length > maxTokens.query) throw new UnfitResult('a text longer than it may be');
    },
  },
  {
    name: 'cross-encoder',
    inputs: () => [
      filesOf(crossFolder('bert', crossKinds.kinds.bert!.saved)),
      ...['mpnet', 'distilbert', 'electra'].map((name) => filesOf(crossFolder(name))),
    ],
    codes: ['CHECKPOINT_INVALID', 'CONFIG_INVALID', 'PATH_INVALID'],
    async load(folder) {
      const { weights, tokenizer, maxTokens } = await openCross(folder, 'tiny', { maxTokens: null });
      for (const values of weights) checkNumbers(values);
      for (const text of ['', 'the old castle']) {
        const ids = tokenizer.encodeText(text);
        const pair = tokenizer.framePair(ids, ids, maxTokens);
        if (pair.ids.length > maxTokens || pair.types.length !== pair.ids.length)
          throw new UnfitResult(`a pair of ${pair.ids.length} tokens and ${pair.types.length} segments`);
      }
    },
  },
  {
    name: 'retriever',
    inputs: async () => {
      const { retriever, initial } = await retrieverOf();
      const text = { maxQueryTokens: 8, maxPassageTokens: 16, pairTruncation: 'longest-first' as const };
      const origin = { model: 'scratch', t5LayerNorm: 'last' as const, text };
      return [await written((folder) => saveRetriever(folder, retriever, initial, {}, origin))];
    },
    codes: ['CHECKPOINT_INVALID', 'PATH_INVALID'],
    async load(folder) {
      const facts = await readRetrieverFacts(folder);
      await retrieverFiles(folder, facts);
      const { retriever } = await retrieverOf();
      for (const values of await loadRetrieverWeights(folder, retriever, facts)) checkNumbers(values);
    },
  },
  {
    name: 'training-state',
    inputs: async () => {
      const { retriever, initial } = await retrieverOf();
      const arrays = arraysOf(initial);
      return [
        await written(async (folder) => {
          const bestSha256 = await saveBest(folder, retriever, arrays.parameters, 0);
          await saveState(folder, retriever, arrays, { ...trainingState, bestSha256 });
        }),
      ];
    },
    codes: ['CACHE_INVALID', 'CHECKPOINT_INVALID'],
    async load(folder) {
      const { retriever, initial } = await retrieverOf();
      const state = await resumeState(folder, retriever, arraysOf(initial), 20);
      if (state !== undefined && !(Number.isInteger(state.step) && state.step >= 0))
        throw new UnfitResult(`training goes on from step ${state.step}`);
      await readBest(folder, retriever, 0, state?.bestSha256);
    },
  },
  {
    name: 'step-log',
    writes: true,
    inputs: () => [texts({ 'steps.jsonl': `${steps}\n` }), texts({ 'steps.jsonl': `${steps}\n{"epoch":` })],
    codes: ['CACHE_INVALID'],
    load: (folder) => new StepLog(folder).rewind(2),
  },
];

export default loaders;
