/** `bench queue`: makes a queue ready, says what is in it, empties it. */
import { closing } from '../closing.js';
import { unknownName } from '../errors.js';
import { jsonText } from '../json.js';
import type { Command } from './command.js';

const actions = ['init', 'status', 'drain'] as const;

export const command: Command = {
  usage: 'init|status|drain --queue URL',
  description:
    'init makes what PostgreSQL has to have; status counts tasks and names workers; drain removes all tasks. Nothing that was done is lost: it lies in the cache.',
  options: {
    queue: { type: 'text', describe: 'address: redis://HOST:6379, postgres://HOST/DATABASE', required: true },
    pinned: { type: 'text', describe: 'of the latencies that the machine of this name is to measure' },
    json: { type: 'switch', describe: 'print the counts as JSON' },
  },
  maxArguments: 1,
  examples: [
    ['bench queue init --queue postgres://db/bench', 'once for each database'],
    ['bench queue status --queue redis://queue:6379', 'how much is left'],
  ],
  async run(values, [action = 'status'], print) {
    const known = actions.find((each) => each === action);
    if (known === undefined) throw unknownName('action of bench queue', action, actions);
    const { initQueue, openQueue } = await import('../tasks/queue.js');
    const { workersOf } = await import('../tasks/seen-workers.js');
    const url = String(values.queue);
    if (known === 'init') {
      await initQueue(url);
      print('The queue is ready.\n');
      return 0;
    }
    const tasks = await openQueue(url, values.pinned === undefined ? undefined : String(values.pinned));
    return closing(tasks, async () => {
      if (known === 'drain') await tasks.queue.obliterate({ force: true });
      const counts = await tasks.queue.getJobCounts();
      const workers = await workersOf(tasks);
      if (values.json === true) print(jsonText({ ...counts, workers: workers ?? null }));
      else {
        const lines = Object.entries(counts).map(([state, count]) => `${state} ${count}\n`);
        const seen = (workers ?? []).map(
          ({ at, pinned }) => `worker ${at}${pinned === undefined ? '' : `, pinned to ${pinned}`}\n`,
        );
        print([...lines, ...seen.sort()].join(''));
      }
      return 0;
    });
  },
};
