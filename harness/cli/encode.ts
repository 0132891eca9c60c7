/** `bench encode`: the index of a dataset's passages by a trained checkpoint. */
import { byteSize } from '../progress.js';
import type { Command } from './command.js';
import { beginJob } from './job.js';
import { anewOptions, checkpointOption, datasetOptions, noWaitOption, someOptions } from './options.js';
import { checkpointFolder, configOf, stageRequest } from './request.js';

export const command: Command = {
  usage: '--checkpoint C --dataset D [options]',
  description:
    'Encodes the passages of a dataset, and prints the folder of the index as its last line. Shards that are finished are not made again.',
  options: {
    checkpoint: checkpointOption,
    ...datasetOptions,
    arch: { type: 'text', describe: 'the architecture that the checkpoint should be of; any where absent' },
    ...someOptions('engine', 'device', 'threads', 'cache', 'config', 'set'),
    'no-wait': noWaitOption,
    ...anewOptions,
    json: { type: 'switch', describe: 'print what was made as JSON' },
  },
  examples: [
    ['bench encode --checkpoint C --dataset sample', 'the last line is the index'],
    ['bench encode --checkpoint C --dataset squad --set encode.shardPassages=10000', 'smaller shards'],
  ],
  async run(values, _positionals, print) {
    const checkpoint = checkpointFolder('checkpoint', values);
    const request = await stageRequest(values, configOf(values));
    const { encodeOnly } = await import('../pipeline/one-stage.js');
    const architecture = values.arch === undefined ? {} : { architecture: String(values.arch) };
    const progress = beginJob(values);
    const made = await encodeOnly({ ...request, ...architecture, checkpoint }, progress);
    if (values.json === true) print(`${JSON.stringify(made, null, 2)}\n`);
    else {
      const [passages, vectors] = [made.passages, made.vectors].map((count) => count.toLocaleString('en-US'));
      const size = byteSize(made.sizeBytes);
      print(`${passages} passages, ${vectors} vectors of ${made.dimensions}, ${size}\n`);
      print(`${made.index}\n`, 'data');
    }
    return 0;
  },
};
