/** `bench worker`: does tasks of sweeps that a queue hands out. */
import path from 'node:path';
import type { Command } from './command.js';
import { beginJob } from './job.js';
import { configOptions } from './options.js';
import { configOf, wholeNumber } from './request.js';

export const command: Command = {
  usage: '--queue URL --cache SHARED [options]',
  description:
    "Does tasks of sweeps that 'bench run --on URL' hands out, until it is told to stop: then what is in hand is saved and given back. They are done in other processes, which end with the worker. Machines of one queue share the folder of --cache, or --store, have the same version of bench, and processors of one kind.",
  options: {
    queue: { type: 'text', describe: 'address: redis://HOST:6379, postgres://HOST/DATABASE', required: true },
    cache: {
      type: 'text',
      describe: 'folder that all machines share; with --store one of each machine',
      required: true,
    },
    store: configOptions.store!,
    'at-once': { type: 'text', describe: 'tasks at a time; 1 if absent' },
    offer: {
      type: 'text',
      describe:
        'what it has for tasks, all at once: gpu=1,memory=60GiB,disk=500GiB; one that needs more is left to others. As much as any needs if absent',
    },
    pinned: {
      type: 'text',
      describe:
        "a name of this machine: it measures the latencies of 'bench run --pinned NAME' too, and does nothing else meanwhile",
    },
    config: { type: 'text', describe: 'configuration file' },
  },
  examples: [
    ['bench worker --queue redis://queue:6379 --cache /shared/bench', 'on every machine'],
    [
      'bench worker --queue redis://queue:6379 --cache /shared/bench --offer memory=16GiB,disk=100GiB',
      'on a small one without a GPU',
    ],
    [
      'bench worker --queue redis://queue:6379 --cache /shared/bench --pinned node7',
      'on the one that measures latencies',
    ],
  ],
  async run(values) {
    const store = path.resolve(configOf({ config: values.config, cache: values.cache }).cache);
    const atOnce = wholeNumber(values, 'at-once') ?? 1;
    const [{ openQueue }, { serve }, { parseOffer }, { remoteStore }] = await Promise.all([
      import('../tasks/queue.js'),
      import('../tasks/queue-worker.js'),
      import('../tasks/offer.js'),
      import('../store/remote/remote-store.js'),
    ]);
    const offer = values.offer === undefined ? {} : parseOffer(String(values.offer));
    const name = values.pinned === undefined ? undefined : String(values.pinned);
    const progress = beginJob(values);
    // Before any task is taken, and once for all of them.
    await remoteStore();
    const url = String(values.queue);
    const pinned = name === undefined ? undefined : await openQueue(url, name);
    const tasks = await openQueue(url);
    try {
      await serve(tasks, { store, atOnce, progress, offer, ...(pinned && { pinned }) });
    } finally {
      await tasks.close();
      await pinned?.close();
    }
    return 0;
  },
};
