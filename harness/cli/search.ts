/** `bench search`: the hits of a dataset's queries in an index. */
import { counted } from '../counted.js';
import { jsonText } from '../json.js';
import type { Command } from './command.js';
import { beginJob } from './job.js';
import { datasetOptions, makingOptions, someOptions, whoOptions } from './options.js';
import { configOf, indexFolder, splitOf, stageRequest, whoOf } from './request.js';

export const command: Command = {
  usage: '--checkpoint C --index I|--arch SYSTEM --dataset D [--split S] [--run FILE] [options]',
  description:
    "Searches the queries of a dataset, and writes the hits in TREC's format; the file is named by the last line. 'bench evaluate' measures it.",
  options: {
    ...whoOptions,
    index: { type: 'text', describe: "folder of the checkpoint's index, as bench encode prints it" },
    ...datasetOptions,
    split: { type: 'text', describe: 'queries to search: train, dev, or test, which is usual' },
    run: { type: 'text', describe: 'file for the hits, packed where it ends in .gz; one in --out if absent' },
    ...someOptions('engine', 'device', 'searcher', 'threads', 'cache', 'store', 'out', 'config', 'set'),
    ...makingOptions,
    json: { type: 'switch', describe: 'print what was done as JSON' },
  },
  examples: [
    [
      'bench search --checkpoint C --index I --dataset sample --run mlr-sc.run.gz',
      'hits of the test queries',
    ],
    [
      "bench search --arch 'rerank:bm25>pretrained:FOLDER' --dataset squad --split dev",
      'of a system that needs no checkpoint',
    ],
    ['bench evaluate --run mlr-sc.run.gz --dataset sample', 'their measures'],
  ],
  async run(values, _positionals, print) {
    const who = await whoOf(values);
    const index = 'system' in who ? undefined : indexFolder(values);
    const split = splitOf(values, 'test');
    const request = await stageRequest(values, configOf({ ...values, run: undefined, index: undefined }));
    const { searchOnly } = await import('../pipeline/one-stage.js');
    const { searchSystem } = await import('../pipeline/system-stages.js');
    const progress = beginJob(values);
    const asked = { ...request, split, ...(values.run !== undefined && { run: String(values.run) }) };
    const found =
      'system' in who
        ? await searchSystem({ ...asked, ...who }, progress)
        : await searchOnly({ ...asked, ...who, index: index! }, progress);
    if (values.json === true) print(jsonText(found));
    else {
      const queries = counted(found.queries, `${split} queries`);
      print(`${queries}, ${counted(found.depth, 'hits')} each, by ${found.searcher}\n`);
      print(`${found.run}\n`, 'data');
    }
    return 0;
  },
};
