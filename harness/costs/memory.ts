/** What a process holds of memory that does nothing but open a system and answer queries. */
import type { Cost, CostColumn } from '../comparison/cost.js';
import { residentMemory } from '../program/process-memory.js';

const untold = { value: null, reason: 'only Linux tells how much memory a process holds, and of what kind' };

const column = { group: 'answering', unit: 'bytes', higherIsBetter: false } as const;

const columns: readonly CostColumn[] = [
  {
    ...column,
    id: 'memory-bytes',
    label: 'memory',
    description:
      'Resident memory at its highest, of a process that opens the system and answers queries: Node and this program are in it. What GNU time calls the maximum resident set size.',
  },
  {
    ...column,
    id: 'memory-anonymous-bytes',
    label: 'memory of its own',
    detail: true,
    description:
      'Anonymous and shared resident memory after the last query, which no other process can have.',
  },
  {
    ...column,
    id: 'memory-files-bytes',
    label: 'mapped files',
    detail: true,
    description:
      'Resident pages of mapped files after the last query: programs, libraries, and an index that is mapped; they can be dropped and read again.',
  },
];

const memory: Cost = {
  place: 40,
  columns: () => columns,
  meter: {
    begin: async () => async () => {
      const found = await residentMemory();
      const figure = (value: number | undefined) => (value === undefined ? untold : { value });
      return {
        'memory-bytes': figure(found?.peak),
        'memory-anonymous-bytes': figure(found?.anonymous),
        'memory-files-bytes': figure(found?.files),
      };
    },
  },
};

export default memory;
