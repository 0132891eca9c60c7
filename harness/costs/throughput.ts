/** Queries per second, a column for each size of batch that was measured. */
import type { Cost } from '../comparison/cost.js';

const throughput: Cost = {
  place: 90,
  columns(records) {
    const sizes = records.flatMap(({ latency }) =>
      (latency?.throughput ?? []).map(({ batchSize }) => batchSize),
    );
    return [...new Set(sizes)]
      .sort((a, b) => a - b)
      .map((batchSize) => ({
        id: `throughput-${batchSize}`,
        label: `queries/s, ${batchSize} at once`,
        group: 'latency',
        unit: 'count',
        higherIsBetter: true,
        isRate: true,
        detail: true,
        description: `Queries answered per second, from text to hits, ${batchSize} at once.`,
        of: ({ latency }) =>
          latency?.throughput?.find((each) => each.batchSize === batchSize)?.queriesPerSecond,
      }));
  },
};

export default throughput;
