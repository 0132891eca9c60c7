/** What a published model is by its files, for the error of somebody who takes it for something else. */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { FileReader, type Json, type ModelSection } from './sentence-reader.js';

/** `masked` may be a bare language model or SPLADE, and `bare` is an encoder alone. */
type PublishedKind = ModelSection | 'masked' | 'bare';

/** MODEL is what stands behind the first colon. */
const ways: Readonly<Record<PublishedKind, string>> = {
  cross:
    "It is a cross-encoder, which scores a query and a passage together: --arch 'rerank:bm25>cross:MODEL' puts it behind another system.",
  sparse: 'It is a learned sparse model: --arch sparse:MODEL takes it.',
  pretrained: 'It is a sentence encoder: --arch pretrained:MODEL takes it.',
  masked: 'If it is a SPLADE model, --arch sparse:MODEL takes it.',
  bare: 'An encoder alone is taken by --arch pretrained:MODEL, with the pretrained.pooling and pretrained.similarity that its authors use.',
};

/** Kinds that may be right as what they were taken for: such an error is about something else. */
const taken: Readonly<Record<ModelSection, readonly PublishedKind[]>> = {
  pretrained: ['pretrained', 'bare'],
  sparse: ['sparse', 'masked'],
  cross: ['cross'],
};

/**
 * Reads a model as one of a kind, and where that is refused says how the kind that it is of is asked for.
 * @throws BenchError CHECKPOINT_INVALID for a cross-encoder as a sentence encoder, whatever is set; what `read` throws, with that hint
 */
export async function readAs<T>(section: ModelSection, folder: string, read: () => Promise<T>): Promise<T> {
  const facts = await read().catch(async (error) => {
    throw error instanceof BenchError ? hinted(error, section, await kindOf(folder)) : error;
  });
  if (section !== 'pretrained' || (await kindOf(folder)) !== 'cross') return facts;
  // A pooling that is set would give it vectors that nobody has trained.
  throw new BenchError(
    'CHECKPOINT_INVALID',
    `${folder} cannot be used as it was published: what its files describe gives no text a vector.`,
    { hint: ways.cross },
  );
}

function hinted(error: BenchError, section: ModelSection, kind: PublishedKind | undefined): BenchError {
  if (kind === undefined || taken[section].includes(kind)) return error;
  const { code, message, hint } = error;
  // A masked language model may be what it was taken for.
  const own = kind === 'masked' && section === 'pretrained' && hint !== undefined ? `${hint} ` : '';
  return new BenchError(code, message, { hint: own + ways[kind], cause: error });
}

/** Undefined where the files do not tell, or cannot be read. Leaves no trace in what is known to have been read. */
async function kindOf(folder: string): Promise<PublishedKind | undefined> {
  const files = new FileReader(folder);
  try {
    const listed = await files.json('modules.json');
    const modules = Array.isArray(listed) ? (listed as (Json | null)[]) : undefined;
    const types = (modules ?? []).map((each) => textOf(each?.type).split('.').at(-1));
    const { model_type: said } = (await files.object('config_sentence_transformers.json')) ?? {};
    if (said === 'CrossEncoder') return 'cross';
    if (said === 'SparseEncoder' || types.includes('SpladePooling')) return 'sparse';
    if (said === 'SentenceTransformer' || types.includes('Pooling')) return 'pretrained';
    const own = modules === undefined ? '' : textOf(modules[0]?.path);
    const { architectures } = (await files.object(path.join(own, 'config.json'))) ?? {};
    const named = Array.isArray(architectures) ? architectures.map(textOf) : [];
    const ends = (end: string) => named.length > 0 && named.every((name) => name.endsWith(end));
    if (ends('ForSequenceClassification')) return 'cross';
    if (modules !== undefined) return undefined;
    return ends('ForMaskedLM') ? 'masked' : ends('Model') ? 'bare' : undefined;
  } catch (error) {
    if (error instanceof BenchError) return undefined;
    throw error;
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
