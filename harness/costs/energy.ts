/** What a query takes of energy, where the processor counts it. */
import type { Cost } from '../comparison/cost.js';
import { energyCounters } from '../program/energy-counters.js';

const energy: Cost = {
  place: 44,
  columns: () => [
    {
      id: 'joules-per-query',
      label: 'energy a query',
      group: 'answering',
      unit: 'J',
      higherIsBetter: false,
      detail: true,
      description:
        'Energy of the processors and of memory, by their own counters (RAPL), over the queries answered one at a time: of the whole machine, what it takes when idle and what else ran in it. A device is not in it.',
    },
  ],
  meter: {
    async begin() {
      const counters = await energyCounters();
      const before = 'read' in counters ? await counters.read() : [];
      return async ({ queries }) => {
        if ('reason' in counters) return { 'joules-per-query': { value: null, reason: counters.reason } };
        const joules = counters.joulesBetween(before, await counters.read());
        // A counter that stood still for half a second counts nothing.
        return {
          'joules-per-query':
            joules > 0
              ? { value: joules / queries }
              : { value: null, reason: "this machine's counters of energy stand still" },
        };
      };
    },
  },
};

export default energy;
