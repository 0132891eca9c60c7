/** What a query takes of the processor, all threads together, and with how many threads a system answers. */
import type { Cost } from '../comparison/cost.js';

const processorTime: Cost = {
  place: 42,
  columns: () => [
    {
      id: 'cpu-ms-per-query',
      label: 'CPU a query',
      group: 'answering',
      unit: 'ms',
      higherIsBetter: false,
      detail: true,
      description:
        'Processor time of all threads, in user and in kernel mode, over the queries answered one at a time: threads that wait by spinning are in it.',
    },
    {
      id: 'threads',
      label: 'threads',
      group: 'answering',
      unit: 'count',
      higherIsBetter: false,
      detail: true,
      isNoCost: true,
      description: 'Threads that the system computes with.',
      of: ({ device }) => device.threads ?? undefined,
    },
  ],
  meter: {
    async begin() {
      const before = process.cpuUsage();
      return async ({ queries }) => {
        const { user, system } = process.cpuUsage(before);
        return { 'cpu-ms-per-query': { value: (user + system) / 1000 / queries } };
      };
    },
  },
};

export default processorTime;
