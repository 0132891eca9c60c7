/** What a system holds on a device. */
import type { Cost } from '../comparison/cost.js';
import { deviceMemory } from '../program/process-memory.js';
import { answeringFigure } from '../record/answering-facts.js';

const id = 'memory-device-bytes';

const isOnDevice = (device: string | null): boolean => device !== null && device !== 'cpu';

const onDevice: Cost = {
  place: 41,
  columns: () => [
    {
      id,
      label: 'on the device',
      group: 'answering',
      unit: 'bytes',
      higherIsBetter: false,
      detail: true,
      description: 'Memory of the GPU that the process holds after the last query, as nvidia-smi tells.',
      of: (record) => (isOnDevice(record.device.device) ? answeringFigure(record, id) : undefined),
    },
  ],
  meter: {
    begin:
      async () =>
      async ({ device }) => {
        // Nothing is asked of a device where nothing is on one.
        if (!isOnDevice(device)) return {};
        const found = await deviceMemory(process.pid);
        return { [id]: 'bytes' in found ? { value: found.bytes } : { value: null, reason: found.reason } };
      },
  },
};

export default onDevice;
