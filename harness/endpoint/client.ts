/**
 * Asks a server for vectors: `POST /v1/embeddings`, as OpenAI has defined it and text-embeddings-inference, vLLM and others
 * answer it. What may pass is tried again; the key is sent, and stands in no message.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from '../errors.js';
import { assertGoesOn, interruption } from '../interruption.js';
import { type Answer, AnswerFault, excerpt, readAnswer } from './answer.js';
import { Pace } from './pace.js';

/** Environment variable of the key. */
export const keyVariable = 'BENCH_ENDPOINT_KEY';

export interface ClientOptions {
  /** As `embeddingsUrl` gives it. */
  url: URL;
  model: string | null;
  key?: string | undefined;
  retries: number;
  timeoutSeconds: number;
  requestsPerMinute: number | null;
  /** Told of what is tried again. */
  note(line: string): void;
  /** Ends what waits, as an interrupt of the process does. */
  signal?: AbortSignal;
  /** Before the second attempt; twice as long before each further one. */
  firstWaitMs?: number;
}

const longestWaitMs = 60_000;
/** A server that wants to be left alone for longer is not waited for. */
const longestAskedMs = 600_000;
/** Statuses that may pass. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Of an answer: a vector of 100,000 numbers in decimal takes about 2 MB. */
const largestAnswerBytes = (texts: number) => 2 ** 20 + texts * 2 ** 22;

/**
 * Where a server is asked, from what a user names it by: `http://host:8080`, `https://host/v1`, or the whole address.
 * @throws BenchError USAGE
 */
export function embeddingsUrl(text: string): URL {
  const fault = (what: string) =>
    new BenchError('USAGE', `An endpoint ${what}.`, {
      hint: `Write endpoint:https://HOST or endpoint:http://HOST:PORT; a key is read from ${keyVariable}.`,
    });
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw fault(`is the URL of a server, and ${JSON.stringify(text)} is none`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw fault(`has no ${url.protocol} URL`);
  // The name of a system stands in records, and what stands there is no secret.
  if (url.username !== '' || url.password !== '') throw fault('has no name and password in its URL');
  if (url.search !== '' || url.hash !== '') throw fault('has neither ? nor # in its URL');
  const path = url.pathname.replace(/\/+$/, '');
  if (path.endsWith('/embeddings')) url.pathname = path;
  else url.pathname = path.endsWith('/v1') ? `${path}/embeddings` : `${path}/v1/embeddings`;
  return url;
}

/** The key, as the environment has it; undefined where there is none. @throws BenchError USAGE, which does not show it */
export function endpointKey(value: string | undefined): string | undefined {
  const key = value?.trim() ?? '';
  if (key === '') return undefined;
  if (/^[!-~]+$/.test(key)) return key;
  throw new BenchError('USAGE', `${keyVariable} holds characters that no key has.`, {
    hint: 'A key is one word of ASCII: was a line copied with it?',
  });
}

export class EmbeddingsClient {
  readonly #options: ClientOptions;
  readonly #pace: Pace;
  readonly #signal: AbortSignal;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#pace = Pace.of(options.url, options.requestsPerMinute);
    this.#signal = options.signal ? AbortSignal.any([options.signal, interruption]) : interruption;
  }

  /**
   * @param texts one or more, sent in one request
   * @param dimensions D; any where it is not known yet
   * @throws BenchError DOWNLOAD_FAILED where the server cannot be had, or gives no such vectors; INTERRUPTED
   */
  async embed(texts: readonly string[], dimensions?: number): Promise<Answer> {
    const { retries, firstWaitMs = 1000, note } = this.#options;
    for (let attempt = 0; ; attempt++) {
      const failure = await this.#attempt(texts, dimensions);
      if ('vectors' in failure) return failure;
      const { message, again, afterMs, hint } = failure;
      const waitMs = afterMs ?? Math.min(longestWaitMs, firstWaitMs * 2 ** attempt);
      if (waitMs > longestAskedMs)
        throw this.#error(
          `${message}, and asks for ${Math.ceil(waitMs / 1000)} seconds of quiet`,
          attempt + 1,
        );
      if (!again || attempt >= retries) throw this.#error(message, attempt + 1, hint);
      note(`${this.#name}: ${this.#safe(message)}; again in ${(waitMs / 1000).toFixed(1)} s`);
      await sleep(waitMs, undefined, { signal: this.#signal }).catch(() => assertGoesOn(this.#signal));
    }
  }

  get #name(): string {
    return this.#options.url.href;
  }

  async #attempt(texts: readonly string[], dimensions: number | undefined): Promise<Answer | Failure> {
    const { url, model, key, timeoutSeconds } = this.#options;
    await this.#pace.wait(this.#signal);
    assertGoesOn(this.#signal);
    const timeout = AbortSignal.timeout(Math.ceil(1000 * timeoutSeconds));
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({ ...(model !== null && { model }), input: texts, encoding_format: 'float' }),
        // A request that is sent elsewhere becomes another one, or takes the key along.
        redirect: 'manual',
        signal: AbortSignal.any([timeout, this.#signal]),
      });
      const body = await textOf(response, largestAnswerBytes(texts.length));
      return response.ok ? readAnswer(body, texts.length, dimensions) : refusal(response, body);
    } catch (error) {
      assertGoesOn(this.#signal);
      if (error instanceof AnswerFault) return { message: error.message, again: error.again };
      if (timeout.aborted)
        return { message: `it has not answered within ${timeoutSeconds} seconds`, again: true };
      if (!(error instanceof TypeError)) throw error;
      // Node says only "fetch failed" and "terminated"; what happened is the cause.
      const cause = error.cause as (Error & { code?: string }) | undefined;
      const what = cause === undefined ? error.message : cause.message || (cause.code ?? cause.name);
      return { message: `the connection failed, or its answer was cut (${what})`, again: true };
    }
  }

  #error(message: string, attempts: number, hint?: string): BenchError {
    const times = attempts === 1 ? '' : `, at the last of ${attempts} attempts`;
    return new BenchError('DOWNLOAD_FAILED', this.#safe(`${this.#name}: ${message}${times}.`), {
      hint:
        hint ??
        'Does the server run, with this model? The same command goes on from the last shard that is whole.',
    });
  }

  /** A server may say the key back. */
  #safe(text: string): string {
    const { key } = this.#options;
    return key === undefined || key === '' ? text : text.replaceAll(key, '[key]');
  }
}

interface Failure {
  message: string;
  /** Whether another attempt may do better. */
  again: boolean;
  /** As the server asks. */
  afterMs?: number;
  hint?: string;
}

function refusal({ status, headers }: Response, body: string): Failure {
  const said = body.trim() === '' ? '' : `: ${excerpt(body)}`;
  const message = `it answered ${status}${said}`;
  if (status === 401 || status === 403) {
    const hint = `Set ${keyVariable} to a key that the server takes, or to none where it wants none.`;
    return { message, again: false, hint };
  }
  if (status >= 300 && status < 400) {
    const hint = 'Name the address that it points to.';
    return { message: `it points elsewhere (${status}, ${headers.get('location')})`, again: false, hint };
  }
  const afterMs = passing.has(status) ? retryAfterMs(headers.get('retry-after'), Date.now()) : undefined;
  return { message, again: passing.has(status), ...(afterMs !== undefined && { afterMs }) };
}

/** Seconds, or a date; undefined where it is neither. @param nowMs since the epoch */
export function retryAfterMs(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+(\.\d+)?$/.test(value.trim())) return 1000 * Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** The whole body, unless it is longer than any answer. */
async function textOf({ body }: Response, largestBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > largestBytes) throw new AnswerFault(`its answer is longer than ${largestBytes} bytes`, false);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
