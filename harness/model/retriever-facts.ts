/** What `retriever.json` in the folder of a trained retriever says of it. */
import path from 'node:path';
import type { EncoderShape, ResolvedArchitecture } from '../contracts.js';
import { BenchError } from '../errors.js';
import { faultFinder } from '../json-schema.js';
import { modelJson } from '../text/model-json.js';
import type { PairTruncation } from '../text/tokenizer.js';
import { mostLayers } from './fields.js';

/** How texts become token ids when a retriever encodes. */
export interface TextFacts {
  maxQueryTokens: number;
  maxPassageTokens: number;
  pairTruncation: PairTruncation;
}

/** What retriever.json says. */
export interface RetrieverFacts {
  /** `mlr-sc` */
  architecture: string;
  resolved: ResolvedArchitecture;
  tied: boolean;
  /** The model that training began with: `scratch`, a folder, or an id on the hub. */
  model: string;
  t5LayerNorm: 'last' | 'all';
  text: TextFacts;
}

export const factsName = 'retriever.json';
export const factsFile = (folder: string): string => path.join(folder, factsName);

const members = ['architecture', 'resolved', 'tied', 'model', 't5LayerNorm', 'text'] as const;
const name = { type: 'string', minLength: 1 };
const count = { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 };

const factsFaults = faultFinder(() => ({
  type: 'object',
  required: members,
  properties: {
    architecture: name,
    resolved: {
      type: 'object',
      required: ['layers', 'vectors', 'lambda'],
      properties: {
        layers: {
          type: 'array',
          minItems: 1,
          uniqueItems: true,
          items: { type: 'integer', minimum: 0, maximum: mostLayers },
        },
        vectors: { anyOf: [{ const: 'varies' }, count] },
        lambda: { type: 'number', minimum: 0 },
        maskShort: { type: 'boolean' },
        meanFirst: { type: 'boolean' },
        similarity: { const: 'cosine' },
      },
    },
    tied: { type: 'boolean' },
    model: name,
    t5LayerNorm: { enum: ['last', 'all'] },
    text: {
      type: 'object',
      required: ['maxQueryTokens', 'maxPassageTokens', 'pairTruncation'],
      properties: {
        maxQueryTokens: count,
        maxPassageTokens: count,
        pairTruncation: { enum: ['longest-first', 'joined'] },
      },
    },
  },
}));

/** @throws BenchError CHECKPOINT_INVALID where the folder holds no trained retriever, or one whose facts cannot be used */
export async function readRetrieverFacts(folder: string): Promise<RetrieverFacts> {
  const facts = (await modelJson(factsFile(folder))) as Partial<RetrieverFacts> | null | undefined;
  if (facts === undefined) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${folder} holds no trained retriever: there is no ${factsName} in it.`,
      { hint: `A trained retriever is what bench train leaves; it has a ${factsName}.` },
    );
  }
  const missing = members.filter((member) => facts?.[member] === undefined);
  if (missing.length > 0) {
    throw new BenchError('CHECKPOINT_INVALID', `${factsFile(folder)} lacks ${missing.join(', ')}.`, {
      hint: 'It was not written by this version of bench: train again.',
    });
  }
  refuse(folder, factsFaults(facts));
  return facts as RetrieverFacts;
}

/** @throws BenchError CHECKPOINT_INVALID where the facts ask for what the encoder beside them does not have */
export function refuseOtherEncoder(
  folder: string,
  { resolved, text }: RetrieverFacts,
  shape: EncoderShape,
): void {
  const { layers, vectors } = resolved;
  const faults: string[] = [];
  if (layers.some((layer) => layer > shape.layers) || layers.at(-1) !== shape.layers)
    faults.push(
      `$.resolved.layers is [${layers.join(', ')}], and the last of the encoder's layers is ${shape.layers}`,
    );
  // A mean stands before the vectors of the tokens.
  const most = Math.max(layers.length, text.maxPassageTokens + 1);
  if (vectors !== 'varies' && vectors > most)
    faults.push(`$.resolved.vectors is ${vectors}, and a passage has ${most} at most`);
  for (const name of ['maxQueryTokens', 'maxPassageTokens'] as const)
    if (text[name] > shape.maxTokens)
      faults.push(`$.text.${name} is ${text[name]}, and the encoder takes ${shape.maxTokens} tokens`);
  refuse(folder, faults);
}

function refuse(folder: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  const list = faults.map((fault) => `\n  - ${fault}`).join('');
  throw new BenchError('CHECKPOINT_INVALID', `${factsFile(folder)} cannot be used:${list}`, {
    hint: 'Copy the checkpoint again, or train again.',
  });
}
