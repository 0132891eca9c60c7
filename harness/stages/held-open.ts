/** What is open of one engine: a model with its encoder of passages, and an index that is searched, one of each at a time. */
import type { VectorEncoder } from '../model/vector-encoder.js';
import type { OpenModel } from '../pipeline/open-model.js';
import { closeSearching, type OpenSearch } from '../pipeline/searching.js';
import type { Engine } from '../tensor/engine.js';
import type { EncoderOfModel } from './graph.js';

interface Open<T> {
  /** Tells what it was opened from. */
  key: string;
  it: T;
}

export class HeldOpen {
  #model: Open<OpenModel> | undefined;
  /** Of that model. */
  #encoder: Open<VectorEncoder> | undefined;
  #searching: Open<OpenSearch> | undefined;

  /**
   * @param engine absent where nothing is computed; not closed with what is open
   * @param stays whether compiled programs outlive the stage that asked for them, for another that asks for the same
   */
  constructor(
    readonly engine: Engine | undefined,
    readonly stays = false,
  ) {}

  /** @param key of what it is opened from */
  async model(key: string, open: () => Promise<OpenModel>): Promise<OpenModel> {
    if (this.#model?.key !== key) {
      await this.#letGo();
      this.#model = { key, it: await open() };
    }
    return this.#model.it;
  }

  /** @param opened what `model` gave last @param use is given its encoder, which is not to be used behind that */
  async withEncoder<T>(
    opened: OpenModel,
    { name, open }: EncoderOfModel,
    use: (encoder: VectorEncoder) => Promise<T>,
  ): Promise<T> {
    if (this.#encoder?.key !== name) {
      await this.#closeEncoder();
      this.#encoder = { key: name, it: open(opened) };
    }
    let isFine = false;
    try {
      const result = await use(this.#encoder.it);
      isFine = true;
      return result;
    } finally {
      if (!(isFine && this.stays)) await this.#closeEncoder();
    }
  }

  async searching(key: string, open: () => Promise<OpenSearch>): Promise<OpenSearch> {
    if (this.#searching?.key === key) return this.#searching.it;
    await this.#closeIndex();
    const it = await open();
    this.#searching = { key, it };
    return it;
  }

  async close(): Promise<void> {
    await this.#closeIndex();
    await this.#letGo();
  }

  async #closeIndex(): Promise<void> {
    const open = this.#searching;
    this.#searching = undefined;
    if (open !== undefined) await closeSearching(open.it);
  }

  async #closeEncoder(): Promise<void> {
    const open = this.#encoder;
    this.#encoder = undefined;
    await open?.it.dispose();
  }

  /** The model goes, and its weights from the engine. */
  async #letGo(): Promise<void> {
    await this.#closeEncoder();
    if (this.#model !== undefined) this.engine?.release(this.#model.it.weights);
    this.#model = undefined;
  }
}
