/** How large the index is. */
import type { Cost } from '../comparison/cost.js';

const size = { group: 'size', higherIsBetter: false } as const;

const indexSize: Cost = {
  place: 10,
  columns: () => [
    {
      ...size,
      id: 'vectors-per-passage',
      label: 'vectors',
      unit: 'count',
      isNoCost: true,
      description: 'Vectors per passage in the index: a mean where passages differ.',
      of: ({ index }) => index?.vectorsPerPassage,
    },
    {
      ...size,
      id: 'index-bytes',
      label: 'index',
      unit: 'bytes',
      description: 'Bytes of the index on disk: vectors, passage ids and offsets.',
      of: ({ index }) => index?.sizeBytes.total,
    },
    {
      ...size,
      id: 'bytes-per-passage',
      label: 'per passage',
      unit: 'bytes',
      description: 'Bytes of the index on disk over the number of passages.',
      of: ({ index, dataset }) =>
        index === undefined || !dataset.passageCount
          ? undefined
          : index.sizeBytes.total / dataset.passageCount,
    },
    {
      ...size,
      id: 'projected-bytes',
      label: 'at 21 M, projected',
      unit: 'bytes',
      description:
        "Bare vectors, or postings, of the 21,015,324 passages of Wikipedia, projected from this index; the paper's take 60 GiB at one vector of 768 numbers per passage and 481 GiB at eight.",
      of: ({ index }) => index?.projectedBytes,
    },
  ],
};

export default indexSize;
