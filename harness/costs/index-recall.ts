/** What an index that is not exact finds of the exact hits. */
import type { Cost } from '../comparison/cost.js';

const indexRecall: Cost = {
  place: 20,
  columns: () => [
    {
      id: 'index-recall',
      label: 'recall',
      group: 'size',
      unit: 'share',
      higherIsBetter: true,
      description:
        'Share of the exact hits that the index finds, at the depth of the run; absent where the index is exact.',
      of({ index }) {
        const curve = index?.curve;
        return curve?.points.at(-1)?.recall[curve.depth];
      },
    },
  ],
};

export default indexRecall;
