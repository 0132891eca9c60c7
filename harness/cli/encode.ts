/** `bench encode`: the index of a dataset's passages by a trained checkpoint, or another system that has vectors. */
import { counted } from '../counted.js';
import { jsonText } from '../json.js';
import { byteSize } from '../progress.js';
import type { Command } from './command.js';
import { beginJob } from './job.js';
import { datasetOptions, makingOptions, someOptions, whoOptions } from './options.js';
import { configOf, stageRequest, whoOf } from './request.js';

export const command: Command = {
  usage: '--checkpoint C|--arch SYSTEM --dataset D [options]',
  description:
    'Encodes the passages of a dataset by a trained checkpoint or another system that has vectors, and prints the folder of the index as its last line. Shards that are finished are not made again.',
  options: {
    ...whoOptions,
    ...datasetOptions,
    ...someOptions('engine', 'device', 'threads', 'cache', 'store', 'config', 'set'),
    ...makingOptions,
    json: { type: 'switch', describe: 'print what was made as JSON' },
  },
  examples: [
    ['bench encode --checkpoint C --dataset sample', 'the last line is the index'],
    ['bench encode --arch pretrained:FOLDER --dataset squad', 'of a published model'],
    ['bench encode --checkpoint C --dataset squad --set encode.shardPassages=10000', 'smaller shards'],
  ],
  async run(values, _positionals, print) {
    const who = await whoOf(values);
    const request = await stageRequest(values, configOf(values));
    const { encodeOnly } = await import('../pipeline/one-stage.js');
    const { encodeSystem } = await import('../pipeline/system-stages.js');
    const progress = beginJob(values);
    const made =
      'system' in who
        ? await encodeSystem({ ...request, ...who }, progress)
        : await encodeOnly({ ...request, ...who }, progress);
    if (values.json === true) print(jsonText(made));
    else {
      const { passages, vectors, dimensions, sizeBytes } = made;
      const rows = counted(vectors, 'vectors');
      print(`${counted(passages, 'passages')}, ${rows} of ${dimensions}, ${byteSize(sizeBytes)}\n`);
      print(`${made.index}\n`, 'data');
    }
    return 0;
  },
};
