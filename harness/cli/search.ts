/** `bench search`: the hits of a dataset's queries in an index. */
import type { Command } from './command.js';
import { beginJob } from './job.js';
import { anewOptions, checkpointOption, datasetOptions, noWaitOption, someOptions } from './options.js';
import { checkpointFolder, configOf, indexFolder, splitOf, stageRequest } from './request.js';

export const command: Command = {
  usage: '--checkpoint C --index I --dataset D [--split S] [--run FILE] [options]',
  description:
    "Searches the queries of a dataset, and writes the hits in TREC's format; the file is named by the last line. 'bench evaluate' measures it.",
  options: {
    checkpoint: checkpointOption,
    index: { type: 'text', describe: 'folder of the index, as bench encode prints it', required: true },
    ...datasetOptions,
    arch: { type: 'text', describe: 'the architecture that the checkpoint should be of; any where absent' },
    split: { type: 'text', describe: 'queries to search: train, dev, or test, which is usual' },
    run: { type: 'text', describe: 'file for the hits, packed where it ends in .gz; one in --out if absent' },
    ...someOptions('engine', 'device', 'searcher', 'threads', 'cache', 'out', 'config', 'set'),
    'no-wait': noWaitOption,
    ...anewOptions,
    json: { type: 'switch', describe: 'print what was done as JSON' },
  },
  examples: [
    [
      'bench search --checkpoint C --index I --dataset sample --run mlr-sc.run.gz',
      'hits of the test queries',
    ],
    ['bench evaluate --run mlr-sc.run.gz --dataset sample', 'their measures'],
  ],
  async run(values, _positionals, print) {
    const checkpoint = checkpointFolder('checkpoint', values);
    const index = indexFolder(values);
    const split = splitOf(values, 'test');
    const request = await stageRequest(values, configOf({ ...values, run: undefined, index: undefined }));
    const { searchOnly } = await import('../pipeline/one-stage.js');
    const progress = beginJob(values);
    const found = await searchOnly(
      {
        ...request,
        checkpoint,
        index,
        split,
        ...(values.arch !== undefined && { architecture: String(values.arch) }),
        ...(values.run !== undefined && { run: String(values.run) }),
      },
      progress,
    );
    if (values.json === true) print(`${JSON.stringify(found, null, 2)}\n`);
    else {
      const queries = found.queries.toLocaleString('en-US');
      print(`${queries} ${split} queries, ${found.depth} hits each, by ${found.searcher}\n`);
      print(`${found.run}\n`, 'data');
    }
    return 0;
  },
};
