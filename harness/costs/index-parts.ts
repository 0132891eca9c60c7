/** The parts of an index on disk, which sum to `index-bytes`. */
import type { Cost } from '../comparison/cost.js';

const parts = [
  ['vectors', 'vectors', 'Bytes of the vectors, with the headers of their files.'],
  ['postings', 'postings', 'Bytes of the lists of the passages that hold each term.'],
  ['terms', 'terms', 'Bytes of the dictionary of terms.'],
  ['lengths', 'lengths', "Bytes of the passages' lengths."],
  ['offsets', 'offsets', "Bytes of the tables of each passage's first vector, where their number varies."],
  ['identifiers', 'passage ids', 'Bytes of the passage ids.'],
] as const;

const indexParts: Cost = {
  place: 70,
  columns: () =>
    parts.map(([part, label, description]) => ({
      id: `${part}-bytes`,
      label,
      group: 'size',
      unit: 'bytes',
      higherIsBetter: false,
      detail: true,
      // How an index is divided says what it is; what it costs stands in its sum.
      isNoCost: true,
      description,
      // A part that an index does not have is no number.
      of: ({ index }) => index?.sizeBytes[part] || undefined,
    })),
};

export default indexParts;
