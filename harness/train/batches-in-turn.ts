/** The batches of a training, one step after another: each is made once, when it is first asked for as the next one. */
import { BenchError } from '../errors.js';
import { type Batch, type BatchOptions, epochOrder, makeBatch } from './batches.js';
import type { TrainRequest } from './train-request.js';

export class BatchesInTurn {
  readonly #request: Pick<TrainRequest, 'examples' | 'seed'>;
  readonly #batching: BatchOptions;
  /** The last one that was made. */
  #made: { step: number; batch: Batch } | undefined;
  #order: { epoch: number; examples: Int32Array } | undefined;

  constructor(request: Pick<TrainRequest, 'examples' | 'seed'>, batching: BatchOptions) {
    this.#request = request;
    this.#batching = batching;
  }

  /** @param step steps before it, of all epochs @throws BenchError OUT_OF_MEMORY */
  at(step: number): Batch {
    if (this.#made?.step !== step) this.#made = { step, batch: this.#make(step) };
    return this.#made.batch;
  }

  /**
   * What `at` gives when its turn comes, made now.
   * @returns undefined where that is too large: `at` says so, when all steps before it are made
   */
  ahead(step: number): Batch | undefined {
    try {
      return this.at(step);
    } catch (error) {
      if (error instanceof BenchError && error.code === 'OUT_OF_MEMORY') return undefined;
      throw error;
    }
  }

  #make(step: number): Batch {
    const { examples, seed } = this.#request;
    const { batchSize } = this.#batching;
    const stepsPerEpoch = Math.ceil(examples.length / batchSize);
    const epoch = Math.floor(step / stepsPerEpoch);
    if (this.#order?.epoch !== epoch)
      this.#order = { epoch, examples: epochOrder(examples.length, seed, epoch) };
    const first = (step % stepsPerEpoch) * batchSize;
    const members = this.#order.examples.subarray(first, first + batchSize);
    return makeBatch(
      Array.from(members, (i) => examples[i]!),
      seed,
      epoch,
      this.#batching,
    );
  }
}
