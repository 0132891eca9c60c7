/** How many vectors an index of FAISS can be trained on. */
import { BenchError } from '../../errors.js';

/**
 * Numbers that can be trained on: `train` takes one plain array of them, which V8 keeps 8 bytes a number and cannot grow
 * to the 2 ** 27 where it ends without a copy that is larger still.
 */
const mostTrainingNumbers = 100_000_000;

/** How many vectors an index is trained on. @throws BenchError CONFIG_INVALID where `train` does not take as many */
export function trainingCount(asked: number, vectors: number, dimensions: number): number {
  const count = Math.min(asked, vectors);
  if (count * dimensions <= mostTrainingNumbers) return count;
  throw new BenchError(
    'CONFIG_INVALID',
    `Training an index of FAISS on ${count} vectors of ${dimensions} dimensions takes ${count * dimensions} numbers; faiss-node's train(number[]) is given ${mostTrainingNumbers} at most.`,
    { hint: `Set index.trainingVectors to ${Math.floor(mostTrainingNumbers / dimensions)} or fewer.` },
  );
}
