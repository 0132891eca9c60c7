/** The process that builds a graph of usearch. Started by build.ts. */
import { BenchError } from '../../errors.js';
import type { VectorIndex } from '../../index/vector-index.js';
import type { BuildOrder } from '../../search/build-process.js';
import { buildAsOrdered, rowBlocks, say } from '../../search/ordered-build.js';
import { efConstruction, graphOf, Lengthening, ownEfSearch, squareOf } from './graph.js';
import { loadUsearch } from './library.js';

/** Links depend on which thread came first: only one makes the same bytes twice. */
const threads = 1;
/** The largest number of 16 bits. */
const largestHalf = 65_504;

async function build({ kind, target }: BuildOrder, index: VectorIndex): Promise<void> {
  const { links, scalar } = graphOf(kind);
  const { Index } = await loadUsearch();
  const { dimensions } = index;
  const lengthening = scalar === 'i8' ? new Lengthening(dimensions, await longestRow(index)) : undefined;
  const graph = new Index({
    dimensions: lengthening === undefined ? dimensions : dimensions + 1,
    metric: 'ip',
    quantization: scalar,
    connectivity: links,
    expansion_add: efConstruction,
    expansion_search: ownEfSearch,
    multi: false,
  });
  for await (const { first, count, values } of rowBlocks(index)) {
    const over = scalar === 'f16' ? values.findIndex((value) => Math.abs(value) > largestHalf) : -1;
    if (over >= 0) {
      const row = first + Math.floor(over / dimensions);
      say({ state: 'refused', message: `row ${row} holds ${values[over]}, and f16 ends at ${largestHalf}` });
      return;
    }
    const keys = BigUint64Array.from({ length: count }, (_, i) => BigInt(first + i));
    graph.add(keys, lengthening?.rows(values) ?? values, threads);
    say({ state: 'adding', rows: first + count });
  }
  try {
    graph.save(target);
  } catch (cause) {
    throw new BenchError('NOT_WRITABLE', `usearch could not write ${target}: ${(cause as Error).message}.`, {
      hint: 'Is the disk full? Free some space, or point --cache at another one.',
      cause,
    });
  }
  say({ state: 'built', trainedOn: 0, ...(lengthening && { own: { longest: lengthening.longest } }) });
}

async function longestRow(index: VectorIndex): Promise<number> {
  let largest = 0;
  for await (const { count, values } of rowBlocks(index))
    for (let i = 0; i < count; i++)
      largest = Math.max(
        largest,
        squareOf(values.subarray(i * index.dimensions, (i + 1) * index.dimensions)),
      );
  return Math.sqrt(largest);
}

await buildAsOrdered(build);
