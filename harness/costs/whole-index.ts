/** The paper's latency. */
import type { Cost } from '../comparison/cost.js';

const wholeIndex: Cost = {
  place: 60,
  columns: () => [
    {
      id: 'whole-index-s',
      label: 'whole index',
      group: 'latency',
      unit: 's',
      higherIsBetter: false,
      description:
        "The paper's figure: opening the index and searching it for all queries, over the number of queries.",
      of: ({ latency }) => latency?.wholeIndexSecondsPerQuery,
    },
  ],
};

export default wholeIndex;
