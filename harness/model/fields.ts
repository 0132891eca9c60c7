/** Reads a checkpoint's config.json: every wrong value is collected, so that one error names them all. */
import { BenchError } from '../errors.js';

export type ModelConfig = Readonly<Record<string, unknown>>;

/** Far beyond any encoder that was published; products of two such sizes are exact numbers. */
const largestSize = 2 ** 24;
/** Letters of a value in an error. */
const longestShown = 100;
/** As many layers as the deepest of them by far. */
export const mostLayers = 4096;

export class ConfigFields {
  readonly #config: ModelConfig;
  readonly #problems: string[] = [];

  constructor(config: ModelConfig) {
    this.#config = config;
  }

  /** A whole number from `least` to `most`; `fallback` where the file does not say. */
  count(name: string, fallback?: number, least = 1, most = largestSize): number {
    const value = this.#config[name] ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    const range =
      typeof value === 'number' && value > most ? `from ${least} to ${most}` : `of at least ${least}`;
    this.problem(`${name} is ${show(value)} and must be a whole number ${range}`);
    return least;
  }

  /** L: nothing is made for a layer before the number is known to be one. */
  layers(name: string): number {
    return this.count(name, undefined, 1, mostLayers);
  }

  /** A number above 0, and no more than 1: what keeps a division from one by 0. */
  epsilon(name: string, fallback: number): number {
    const value = this.#config[name] ?? fallback;
    if (typeof value === 'number' && value > 0 && value <= 1) return value;
    this.problem(`${name} is ${show(value)} and must be a number above 0 and no more than 1`);
    return fallback;
  }

  /** A share in [0, 1). */
  rate(name: string, fallback: number): number {
    const value = this.#config[name] ?? fallback;
    if (typeof value === 'number' && value >= 0 && value < 1) return value;
    this.problem(`${name} is ${show(value)} and must be at least 0 and below 1`);
    return fallback;
  }

  /** A finite number of at least `least`. */
  number(name: string, fallback: number, least: number): number {
    const value = this.#config[name] === undefined ? fallback : this.#config[name];
    if (typeof value === 'number' && Number.isFinite(value) && value >= least) return value;
    this.problem(`${name} is ${show(value)} and must be a number of at least ${least}`);
    return fallback;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.#config[name] ?? fallback;
    if (typeof value === 'boolean') return value;
    this.problem(`${name} is ${show(value)} and must be true or false`);
    return fallback;
  }

  /** One of the known words. */
  word<Word extends string>(name: string, known: readonly Word[], fallback: Word): Word {
    const value = this.#config[name] ?? fallback;
    const found = known.find((word) => word === value);
    if (found !== undefined) return found;
    this.problem(`${name} is ${show(value)}; supported: ${known.join(', ')}`);
    return fallback;
  }

  /** What has to be said as it is here, or not at all. */
  same(name: string, expected: boolean): void {
    const value = this.#config[name] ?? expected;
    if (value !== expected) this.problem(`${name} is ${show(value)}; supported: ${expected}`);
  }

  /** What makes another model of the same weights: attention to the left only, heads left out, code of the checkpoint's own. */
  refuseDecoder(): void {
    if ((this.#config.is_decoder ?? false) !== false)
      this.problem('is_decoder is true: a decoder attends to the left only, and an encoder both ways');
    this.same('add_cross_attention', false);
    const { pruned_heads: pruned, quantization_config: quantized, auto_map: own } = this.#config;
    if (isFilled(pruned)) this.problem(`pruned_heads is ${show(pruned)}; heads are not left out`);
    if (isFilled(quantized)) this.problem('quantization_config is there; weights are read as floating point');
    if (isFilled(own) && 'AutoModel' in own)
      this.problem(`auto_map names code of the checkpoint's own, ${show(own.AutoModel)}, which is not run`);
  }

  /** A number of equal parts. */
  divides(name: string, parts: number, ofName: string, whole: number): void {
    if (whole % parts !== 0) this.problem(`${ofName} ${whole} cannot be divided by ${name} ${parts}`);
  }

  /** An id that the table of words has. */
  isToken(name: string, id: number, vocabularySize: number): void {
    if (id >= vocabularySize) this.problem(`${name} ${id} is outside a vocabulary of ${vocabularySize}`);
  }

  /** Positions are counted from behind padding's: there must be some. */
  leavesPositions(positions: number, paddingId: number): void {
    if (positions <= paddingId + 1)
      this.problem(
        `max_position_embeddings ${positions} leaves no position behind pad_token_id ${paddingId}`,
      );
  }

  problem(text: string): void {
    this.#problems.push(text);
  }

  /** @throws BenchError CHECKPOINT_INVALID that lists every problem found so far */
  check(kind: string): void {
    if (this.#problems.length === 0) return;
    const list = this.#problems.map((text) => `\n  - ${text}`).join('');
    throw new BenchError('CHECKPOINT_INVALID', `This ${kind} configuration cannot be used:${list}`, {
      hint: 'Mend config.json in the checkpoint folder, or choose another model.',
    });
  }
}

function isFilled(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function show(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}...` : text;
}
