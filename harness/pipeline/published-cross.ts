/** A published cross-encoder, opened as its own files have it. */
import path from 'node:path';
import type { DataFile } from '../contracts.js';
import { BenchError } from '../errors.js';
import { describeEncoder, loadEncoder } from '../model/checkpoint.js';
import { type CrossFacts, type CrossOverrides, readCrossFacts } from '../model/cross-files.js';
import { CrossModel } from '../model/cross-model.js';
import type { Encoder } from '../model/encoder.js';
import { encoderTokenizer } from '../model/encoder-tokenizer.js';
import { describeHeadOf, readHead } from '../model/head-weights.js';
import { encoderNamed, encoders } from '../model/known-encoders.js';
import type { WorkedWith } from '../stages/code.js';
import { keyOf } from '../store/hash.js';
import { describeFile } from '../store/hash-once.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { readOnce } from './last-read.js';
import { filesOf } from './named-models.js';

/** What can be known without reading the weights. */
export interface CrossShape {
  facts: CrossFacts;
  model: CrossModel;
  tokenizer: Tokenizer;
  /** Longest pair, in tokens. */
  maxTokens: number;
}

/** A model by its content: its files are hashed, and its weights are not read. */
export interface CrossContent extends CrossShape {
  /** All that decides its scores, with hashes. */
  files: DataFile[];
  /** Made from these, and from what else decides the scores: a copy elsewhere has the same one. */
  key: string;
  /** What computes beside a stage's own code. */
  code: Pick<WorkedWith, 'encoder'>;
}

export interface OpenCross extends CrossContent {
  /** The system's: `cross:NAME`. */
  name: string;
  /** One per parameter. */
  weights: Float32Array[];
  remarks: readonly string[];
}

/** @throws BenchError CHECKPOINT_INVALID for what is missing or not known */
export async function describeCross(folder: string, overrides: CrossOverrides): Promise<CrossShape> {
  const facts = await readCrossFacts(folder, overrides);
  const { encoderFolder } = facts;
  const encoder = await describeEncoder(encoderFolder);
  const head = headOf(folder, facts, encoder);
  await describeHeadOf(encoderFolder, { parameters: head.parameters, shape: encoder.shape });
  const tokenizer = await encoderTokenizer(encoderFolder, encoder);
  const maxTokens = lengthOf(folder, facts, encoder);
  // The frame has to fit.
  tokenizer.framePair([], [], maxTokens);
  return {
    facts,
    model: new CrossModel(encoder, head, takesTypes(folder, facts, encoder, tokenizer)),
    tokenizer,
    maxTokens,
  };
}

function headOf(folder: string, { config }: CrossFacts, { shape: { kind } }: Encoder) {
  const head = encoderNamed(kind).classification?.(config, 1);
  if (head !== undefined) return head;
  const known = encoders.filter(({ classification }) => classification !== undefined);
  throw new BenchError(
    'CHECKPOINT_INVALID',
    `${folder} is a ${kind}, of which no head that scores is known.`,
    {
      hint: `Choose a cross-encoder of one of these kinds: ${known.map(({ name }) => name).join(', ')}.`,
    },
  );
}

function lengthOf(folder: string, { maxTokens }: CrossFacts, { shape }: Encoder): number {
  const length = Math.min(maxTokens ?? Infinity, shape.maxTokens);
  if (Number.isFinite(length)) return length;
  throw new BenchError('CONFIG_INVALID', `${folder} does not say how long a pair may be.`, {
    hint: 'Give --set cross.maxTokens=512, or as many as its authors use.',
  });
}

/** Whether segments are told; there is nothing to tell where there is one alone. */
function takesTypes(
  folder: string,
  { givesTypes }: CrossFacts,
  { segments = 0 }: Encoder,
  { pairSegments }: Tokenizer,
): boolean {
  if (segments === 0 || pairSegments === 1 || givesTypes === false) return false;
  const fault = (what: string, hint: string) =>
    new BenchError('CHECKPOINT_INVALID', `${folder} cannot be used as it was published: ${what}.`, { hint });
  if (givesTypes === undefined)
    throw fault(
      'its tokenizer_config.json leaves open whether the model is told which of two texts a token is of',
      'Say it there: "model_input_names": ["input_ids", "token_type_ids", "attention_mask"], or without token_type_ids.',
    );
  if (pairSegments <= segments) return true;
  throw fault(
    `its tokenizer tells ${pairSegments} segments apart, and its encoder has ${segments}`,
    'Put the tokenizer files that belong to these weights into the folder.',
  );
}

/** @throws BenchError as `describeCross` */
export async function crossContent(folder: string, overrides: CrossOverrides): Promise<CrossContent> {
  const shape = await describeCross(folder, overrides);
  const { facts, model, maxTokens } = shape;
  const { activation, lowercases, encoderFolder } = facts;
  const own = await filesOf(encoderFolder);
  const beside = facts.files.filter((name) => !own.some((file) => file.name === name));
  const more = beside.map(async (name) => ({ ...(await describeFile(path.join(folder, name))), name }));
  const files: DataFile[] = [...own, ...(await Promise.all(more))];
  const { takesTypes: types } = model;
  return {
    ...{ ...shape, files },
    key: keyOf({ files, activation, lowercases, maxTokens, types }),
    code: { encoder: model.encoder.shape.kind },
  };
}

/** @param name of the system */
export async function openCross(folder: string, name: string, overrides: CrossOverrides): Promise<OpenCross> {
  const content = await crossContent(folder, overrides);
  const { facts, model, files } = content;
  const { weights, remarks } = await readOnce(keyOf({ cross: files }), async () => {
    const { encoderFolder } = facts;
    const { weights: all, remarks: said = [] } = await loadEncoder(encoderFolder);
    const { parameters } = model.head;
    const head = await readHead(encoderFolder, { parameters, shape: model.encoder.shape });
    return { weights: [...all, ...head.weights], remarks: [...new Set([...said, ...head.remarks])] };
  });
  return { ...content, name, weights, remarks };
}
