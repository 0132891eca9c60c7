/** A server's vectors, as a system wants them: with prompts, of length 1 where they are compared by their cosine. */
import type { BenchConfig } from '../config/config.js';
import type { Passage, Query } from '../contracts.js';
import { EmbeddingsClient, embeddingsUrl, endpointKey, keyVariable } from '../endpoint/client.js';
import type { Progress } from '../progress.js';
import { normalizeRows } from './row-lengths.js';

export class EndpointVectors {
  readonly #client: EmbeddingsClient;
  readonly #settings: BenchConfig['endpoint'];
  /** The model that the server says it asked; null before the first answer, and where it says none. */
  served: string | null = null;

  /** @param url as a user names it @throws BenchError USAGE */
  constructor(url: string, settings: BenchConfig['endpoint'], progress: Pick<Progress, 'note' | 'signal'>) {
    const { model, retries, timeoutSeconds, requestsPerMinute } = settings;
    this.#settings = settings;
    this.#client = new EmbeddingsClient({
      url: embeddingsUrl(url),
      ...{ model, retries, timeoutSeconds, requestsPerMinute },
      key: endpointKey(process.env[keyVariable]),
      note: progress.note,
      signal: progress.signal,
    });
  }

  /** [Q, D] @param dimensions D; any where it is not known yet */
  async queries(queries: readonly Query[], dimensions?: number): Promise<Float32Array> {
    const { queryPrompt } = this.#settings;
    return this.#vectorsOf(
      queries.map(({ text }) => queryPrompt + text),
      dimensions,
    );
  }

  /** [passages, D] @param dimensions D; any where it is not known yet */
  async passages(passages: readonly Passage[], dimensions?: number): Promise<Float32Array> {
    const { passagePrompt } = this.#settings;
    return this.#vectorsOf(
      passages.map(({ title, text }) => passagePrompt + (title === '' ? text : `${title} ${text}`)),
      dimensions,
    );
  }

  /** In requests of `batchSize` texts, `concurrency` of them under way at once. */
  async #vectorsOf(texts: readonly string[], known: number | undefined): Promise<Float32Array> {
    const { batchSize, concurrency, similarity } = this.#settings;
    const batches: { first: number; texts: readonly string[] }[] = [];
    for (let first = 0; first < texts.length; first += batchSize)
      batches.push({ first, texts: texts.slice(first, first + batchSize) });
    const found: Float32Array[] = [];
    let dimensions = known;
    let next = 0;
    let failed = false;
    const work = async () => {
      while (next < batches.length && !failed) {
        const at = next++;
        try {
          const answer = await this.#client.embed(batches[at]!.texts, dimensions);
          dimensions ??= answer.dimensions;
          this.served ??= answer.model;
          found[at] = answer.vectors;
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: concurrency }, work));
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    const vectors = new Float32Array(texts.length * (dimensions ?? 0));
    for (const [i, { first }] of batches.entries()) vectors.set(found[i]!, first * dimensions!);
    if (similarity === 'cosine') normalizeRows(vectors, dimensions ?? 1);
    return vectors;
  }
}
