/** A trained checkpoint, wherever it lies: what encoding and searching need to know of it is in its folder. */
import type { Passage } from '../contracts.js';
import { BenchError } from '../errors.js';
import { describeEncoder } from '../model/checkpoint.js';
import { Retriever } from '../model/retriever.js';
import {
  type RetrieverFacts,
  readRetrieverFacts,
  refuseOtherEncoder,
  type TextFacts,
} from '../model/retriever-facts.js';
import { encoderFolder, loadRetrieverWeights, retrieverFiles } from '../model/retriever-files.js';
import { loadArchitecture } from '../plugins.js';
import type { Progress } from '../progress.js';
import { keyOf } from '../store/hash.js';
import { checkedManifest } from '../store/manifest.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { loadTokenizer } from '../text/tokenizer-folder.js';
import { readOnce } from './last-read.js';
import type { OpenModel, TextEncoders } from './open-model.js';

export interface Checkpoint extends OpenModel {
  folder: string;
  facts: RetrieverFacts;
  retriever: Retriever;
}

/** How texts become token ids, in training too, which always cuts pairs. */
export interface TrainingTexts extends TextEncoders {
  trainingPassage(passage: Passage): Int32Array;
}

export function textEncoders(
  tokenizer: Tokenizer,
  { maxQueryTokens, maxPassageTokens, pairTruncation }: TextFacts,
): TrainingTexts {
  return {
    query: (text) => tokenizer.encodeQuery(text, maxQueryTokens),
    trainingPassage: ({ title, text }) => tokenizer.encodePassage(title, text, maxPassageTokens),
    passage: ({ title, text }) => tokenizer.encodePassage(title, text, maxPassageTokens, pairTruncation),
  };
}

/** The model that the training of a checkpoint began with. @throws BenchError CHECKPOINT_INVALID where it is none */
export const originOf = async (folder: string): Promise<string> => (await readRetrieverFacts(folder)).model;

/** Says so where a checkpoint that a user brings does not say what its files were. */
export async function noteUnchecked(folder: string, { note }: Pick<Progress, 'note'>): Promise<void> {
  if ((await checkedManifest(folder)) === undefined)
    note(
      `${folder} has no manifest.json, so that nobody can say whether its weights are those that were trained.`,
    );
}

/**
 * Checked where it has a manifest, see `checkedManifest`; a copy without one is taken as it is, under the key of its bytes.
 * @param expected the architecture it is said to be of; any where absent
 * @throws BenchError CACHE_INVALID where it is not what was trained; CHECKPOINT_INVALID where it is none or of another
 *   architecture
 */
export async function openCheckpoint(folder: string, expected?: string): Promise<Checkpoint> {
  await checkedManifest(folder);
  const facts = await readRetrieverFacts(folder);
  const { architecture: name, resolved, tied, t5LayerNorm, text } = facts;
  if (expected !== undefined && expected !== name) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${folder} is a checkpoint of the architecture ${name}, and ${expected} was asked for.`,
      { hint: `Give --arch ${name} or none, or the checkpoint of a training with --arch ${expected}.` },
    );
  }
  const loaded = await loadArchitecture(name);
  const inside = encoderFolder(folder, facts);
  const encoder = await describeEncoder(inside, { t5LayerNorm });
  refuseOtherEncoder(folder, facts, encoder.shape);
  const retriever = new Retriever(encoder, tied, { ...loaded, resolved });
  const key = keyOf(await retrieverFiles(folder, facts));
  const weights = await readOnce(key, () => loadRetrieverWeights(folder, retriever, { t5LayerNorm }));
  const texts = textEncoders(await loadTokenizer(inside), text);
  const maxTokens = { query: text.maxQueryTokens, passage: text.maxPassageTokens };
  const { architecture } = retriever;
  const code = { architecture, encoder: encoder.shape.kind };
  return { name, folder, key, facts, architecture, retriever, weights, texts, maxTokens, code };
}
